// Notifications outside the page: a mark in the title, a system notification, a sound.
// Settings are stored in the browser, like its permission. Each event is shown once, whatever the number of tabs.
(() => {
  const MARK = "● ";
  const SWITCH_MS = 500; // between two pages, or two tabs, none is in sight for a moment
  const WAKE_MS = 300;
  const KEPT_MS = 24 * 3600_000; // a tab that slept must not tell it again
  const IN_SIGHT = "rushes: in sight";
  const TUNES = { good: [659, 988], calm: [659], trouble: [494, 370] }; // Hz
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  const isOn = (name) => localStorage.getItem(`rushes.${name}`) === "on";
  const turn = (name, on) => (on ? localStorage.setItem(`rushes.${name}`, "on") : localStorage.removeItem(`rushes.${name}`));

  // -- once for all tabs: only one can add the event's key to the database

  function done(request) {
    return new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  let opening;
  function told() {
    const request = indexedDB.open("rushes.told", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("told").createIndex("at", "");
    return (opening ??= done(request));
  }

  async function claim(key) {
    const store = (await told()).transaction("told", "readwrite").objectStore("told");
    const old = store.index("at").openKeyCursor(IDBKeyRange.upperBound(Date.now() - KEPT_MS));
    old.onsuccess = () => {
      if (!old.result) return;
      store.delete(old.result.primaryKey);
      old.result.continue();
    };
    const added = store.add(Date.now(), key);
    return done(added).then(() => true, () => false);
  }

  // -- whether any tab is visible: each visible tab holds a lock, which the browser releases when the tab ends

  let leave;
  function watch() {
    if (!document.hidden && document.title.startsWith(MARK)) document.title = document.title.slice(MARK.length);
    leave?.();
    leave = undefined;
    if (document.hidden) return;
    navigator.locks?.request(IN_SIGHT, { mode: "shared" }, () => (document.hidden ? null : new Promise((go) => (leave = go))));
  }

  async function inSight() {
    const { held } = await navigator.locks.query();
    return held.some((lock) => lock.name === IN_SIGHT);
  }

  // -- the system notification

  function standing() {
    if (!window.isSecureContext) return "insecure";
    if (!window.Notification || !navigator.locks) return "missing";
    return Notification.permission; // granted, denied or default: not asked, or not answered
  }

  function show({ key, title, body, address }) {
    // silent: the sound has its own setting
    const shown = new Notification(title, { body, tag: key, icon: document.querySelector("link[rel~=icon]")?.href, silent: true });
    shown.onclick = () => {
      window.focus();
      shown.close();
      if (address) location.assign(address);
    };
  }

  async function notify(news) {
    if (!isOn("system") || standing() !== "granted") return;
    await wait(SWITCH_MS);
    if (!(await inSight()) && (await claim(`system ${news.key}`))) show(news);
  }

  /** Requests the permission if necessary and shows a sample; returns the resulting state. */
  async function allow(sample) {
    if (standing() === "default") await Notification.requestPermission();
    if (standing() !== "granted") return standing();
    try {
      show({ key: "sample", ...sample });
    } catch {
      return "missing"; // Android's Chrome: only for service workers
    }
    turn("system", true);
    return "granted";
  }

  // -- the sound

  let audio;
  /** Whether this tab may play sound: a browser allows it after a click or a key. */
  async function wake() {
    if (navigator.userActivation?.hasBeenActive === false) return false;
    audio ??= new AudioContext();
    await Promise.race([audio.resume(), wait(WAKE_MS)]);
    return audio.state === "running";
  }

  async function play(tone) {
    const last = TUNES[tone].map((pitch, place) => note(pitch, audio.currentTime + 0.03 + place * 0.14)).at(-1);
    await new Promise((ended) => (last.onended = ended));
    await audio.suspend();
  }

  function note(pitch, at) {
    const voice = new OscillatorNode(audio, { type: "sine", frequency: pitch });
    const loudness = new GainNode(audio, { gain: 0 });
    loudness.gain.setValueAtTime(0, at);
    loudness.gain.linearRampToValueAtTime(0.12, at + 0.015);
    loudness.gain.exponentialRampToValueAtTime(0.0001, at + 0.55);
    voice.connect(loudness).connect(audio.destination);
    voice.start(at);
    voice.stop(at + 0.6);
    return voice;
  }

  async function ring(news) {
    if (isOn("sound") && (await wake()) && (await claim(`sound ${news.key}`))) await play(news.tone);
  }

  /** Returns whether the sound was played. */
  async function tryIt() {
    const heard = await wake();
    if (heard) play("good");
    return heard;
  }

  function tell(news) {
    if (document.hidden && !document.title.startsWith(MARK)) document.title = MARK + document.title;
    return Promise.allSettled([notify(news), ring(news)]);
  }

  // for browsers that require the first sound to be played in a click handler
  const unlock = async () => isOn("sound") && !audio && (await wake()) && audio.suspend();
  document.addEventListener("pointerdown", unlock);
  document.addEventListener("keydown", unlock);
  document.addEventListener("visibilitychange", watch);
  watch();
  window.rushes.notices = { tell, isOn, turn, standing, allow, tryIt };
})();
