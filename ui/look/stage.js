// The composer's answer to a press, and the way to the stage.
(() => {
  const SHOWN_MS = 600; // a fast answer is seen too
  const LOST_MS = 20_000;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const generateButton = () => document.querySelector("[data-act=generate]");
  let takenAt = 0;

  // not reached without a connection: browser_bridge.js stops the event
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-act=generate]");
    if (!button) return;
    takenAt = Date.now();
    button.setAttribute("aria-busy", "true");
    setTimeout(() => Date.now() - takenAt >= LOST_MS && release(), LOST_MS);
  });

  // What the browser displays counts: no bars beside it.
  const fit = ({ target }) => {
    if (!target.matches?.(".r-gate .r-player")) return;
    const [width, height] = [target.videoWidth || target.naturalWidth, target.videoHeight || target.naturalHeight];
    if (width && height) target.closest(".r-gate").style.setProperty("--ratio", (width / height).toFixed(4));
  };
  ["loadedmetadata", "load"].forEach((name) => document.addEventListener(name, fit, true));

  const release = () => generateButton()?.removeAttribute("aria-busy");

  // called by the server
  const { answered } = window.rushes; // of presses.js
  Object.assign(window.rushes, {
    answered(key) {
      answered(key);
      setTimeout(release, Math.max(0, takenAt + SHOWN_MS - Date.now()));
    },
    // what is filled in stands at the top of the composer: the prompt and the picture to start from
    showComposer() {
      requestAnimationFrame(() => {
        const composer = document.querySelector(".r-composer");
        if (!composer) return;
        const { top } = composer.getBoundingClientRect();
        if (top < 0 || top > innerHeight / 3) scrollTo({ top: top + scrollY, behavior: "instant" });
        composer.querySelector(".r-composer-fields").scrollTop = 0;
        document.getElementById("prompt")?.focus({ preventScroll: true });
      });
    },
    showStage() {
      requestAnimationFrame(() => {
        const stage = document.querySelector(".r-stage");
        const box = stage?.getBoundingClientRect();
        if (!box || (box.top >= 0 && box.top < innerHeight / 3)) return;
        scrollTo({ top: Math.max(0, box.top + scrollY - 16), behavior: calm.matches ? "auto" : "smooth" });
      });
    },
  });
})();
