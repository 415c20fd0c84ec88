// Finds out why a film or a picture is not shown, and tries again where only the line was at fault.
(() => {
  const SOON_MS = 300;
  const LATER_MS = 3_000; // while nobody answers
  const failures = new WeakMap(); // by element: how often it failed although the file was to be had
  const isPlayer = (element) => element.matches?.(".r-gate .r-player");
  const say = (element, detail) => element.dispatchEvent(new CustomEvent("unshown", { detail }));
  const status = (url) => fetch(url, { method: "HEAD" }).then((answer) => answer.status, () => 0);

  const examine = async (element) => {
    const { paused, currentTime: at = 0, error } = element;
    const answer = await status(element.src);
    if (!element.isConnected) return;
    if (answer === 404 || answer === 410) return say(element, "gone");
    const failed = (failures.get(element) ?? 0) + (answer === 200 && error?.code !== MediaError.MEDIA_ERR_NETWORK);
    failures.set(element, failed);
    if (failed > 1) return say(element, at > 0 ? "rest" : "format");
    setTimeout(() => element.isConnected && reload(element, at, paused), answer === 200 ? SOON_MS : LATER_MS);
  };

  const reload = (element, at, paused) => {
    if (element.tagName === "IMG") return void (element.src = element.src);
    element.load();
    if (at > 0) element.currentTime = at;
    if (!paused) element.play().catch(() => {});
  };

  document.addEventListener("error", ({ target }) => isPlayer(target) && examine(target), true);
  // sound alone: it would play without its picture
  const silent = ({ target }) => isPlayer(target) && target.tagName === "VIDEO" && !target.videoWidth && say(target, "format");
  document.addEventListener("loadedmetadata", silent, true);
})();
