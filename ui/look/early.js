// Runs before the first paint, to apply the theme without a flash.
(() => {
  const root = document.documentElement;
  const light = matchMedia("(prefers-color-scheme: light)");
  const platform = navigator.userAgentData?.platform || navigator.platform || "";
  if (/mac|iphone|ipad/i.test(platform)) root.dataset.mac = "";
  const apply = () => {
    const choice = root.dataset.choice || "auto";
    root.dataset.theme = choice === "auto" ? (light.matches ? "light" : "dark") : choice;
  };
  light.addEventListener("change", apply);
  window.rushes = {
    /** The pressed key: a letter whatever the case, by its place where the keyboard has other scripts. */
    keyOf(event) {
      if (/^Key[A-Z]$/.test(event.code) && !/^[a-z]$/i.test(event.key)) return event.code[3].toLowerCase();
      return event.key.length === 1 ? event.key.toLowerCase() : event.key;
    },
    theme(choice) {
      root.dataset.choice = choice;
      apply();
    },
  };
  apply();
})();
