// Keeps toasts off what a person may need right now: they float above Generate, the title and a dialog's buttons.
(() => {
  const TOASTS = ".q-notifications__list--bottom.items-end";
  const KEPT_CLEAR = "[data-act=generate], .r-title, .r-box, .r-bulk, .q-dialog .r-row, dialog[open] button";
  const GAP_PX = 8;
  const root = document.documentElement;
  let lift = 0;
  let planned = 0;

  function place() {
    planned = 0;
    const list = document.querySelector(TOASTS);
    const shown = list ? [...list.querySelectorAll(".q-notification")] : [];
    if (!shown.length) return move(0);
    const left = list.getBoundingClientRect().left + Math.min(...shown.map((toast) => toast.offsetLeft)); // without the transition
    const height = list.offsetHeight;
    const lowest = parseFloat(getComputedStyle(list).bottom) - lift;
    const obstacles = [...document.querySelectorAll(KEPT_CLEAR)]
      .map((one) => one.getBoundingClientRect())
      .filter((box) => box.width && box.right > left && box.bottom > 0 && box.top < innerHeight)
      .sort((one, other) => other.bottom - one.bottom);
    let bottom = innerHeight - lowest; // from the lowest obstacle upwards
    for (const box of obstacles) if (box.top < bottom + GAP_PX && box.bottom > bottom - height - GAP_PX) bottom = box.top - GAP_PX;
    move(bottom - height < 0 ? 0 : innerHeight - lowest - bottom);
  }

  function move(to) {
    if (to === lift) return;
    lift = to;
    root.style.setProperty("--toasts-lift", `${to}px`);
  }

  const plan = () => (planned ||= requestAnimationFrame(place));
  addEventListener("scroll", plan, { passive: true, capture: true });
  addEventListener("resize", plan);
  addEventListener("transitionend", plan); // a dialog stands still
  addEventListener("animationend", plan);
  new MutationObserver(plan).observe(document.body, { childList: true }); // dialogs are drawn into the body
  const waiting = setInterval(() => {
    const all = document.querySelector(".q-notifications");
    if (!all) return;
    clearInterval(waiting);
    new MutationObserver(plan).observe(all, { childList: true, subtree: true });
    plan();
  }, 100);
})();
