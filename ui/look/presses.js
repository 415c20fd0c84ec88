// Gives every press a key, so that the server starts one thing for one press however often it arrives.
// The same press: within a moment of the last one (double click, held key), or before the page has answered it.
(() => {
  const MOMENT_MS = 800;
  const UNANSWERED_MS = 60_000; // survives a reload of the page, then forgotten
  const STILL_PX = 4;
  const STORE = `press:${location.pathname}`;
  let clicked = { at: -Infinity };

  // not crypto.randomUUID: plain http on a local network has none
  const newKey = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
  const load = () => JSON.parse(sessionStorage.getItem(STORE) || "null");
  const save = (press) => sessionStorage.setItem(STORE, JSON.stringify(press));

  const keyOf = () => {
    const last = load();
    const passed = last ? Date.now() - last.at : Infinity;
    const same = passed >= 0 && passed < (last?.answered ? MOMENT_MS : UNANSWERED_MS);
    const press = { key: same ? last.key : newKey(), at: Date.now(), answered: same && last.answered };
    save(press);
    return press.key;
  };

  const textsAround = (button) => {
    const boxes = button.dataset.act === "generate" ? button.closest(".r-composer")?.querySelectorAll("textarea[id], input[id]") : null;
    return Object.fromEntries([...(boxes ?? [])].filter((box) => box.type !== "file").map((box) => [box.id, box.value]));
  };

  // The first click of a double click may have drawn another button under the pointer.
  const isSecondClickElsewhere = (event, button) =>
    event.isTrusted &&
    event.detail > 0 &&
    event.timeStamp - clicked.at < MOMENT_MS &&
    button !== clicked.button &&
    !clicked.button.isConnected &&
    Math.abs(event.clientX - clicked.x) <= STILL_PX &&
    Math.abs(event.clientY - clicked.y) <= STILL_PX;

  addEventListener(
    "click",
    (event) => {
      const button = event.target.closest?.("button");
      if (!button) return;
      if (isSecondClickElsewhere(event, button)) {
        event.preventDefault();
        return event.stopImmediatePropagation();
      }
      clicked = { button, at: event.timeStamp, x: event.clientX, y: event.clientY };
      if ("press" in button.dataset) event.press = { key: keyOf(), texts: textsAround(button) };
    },
    true,
  );

  Object.assign(window.rushes, {
    MOMENT_MS,
    newKey,
    // called by the server
    answered(key) {
      const last = load();
      if (last?.key === key) save({ ...last, answered: true });
    },
  });
})();
