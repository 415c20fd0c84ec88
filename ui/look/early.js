// Runs before the first paint, to apply the theme without a flash.
(() => {
  const root = document.documentElement;
  const light = matchMedia("(prefers-color-scheme: light)");
  const apply = () => {
    const choice = root.dataset.choice || "auto";
    root.dataset.theme = choice === "auto" ? (light.matches ? "light" : "dark") : choice;
  };
  light.addEventListener("change", apply);
  window.rushes = {
    theme(choice) {
      root.dataset.choice = choice;
      apply();
    },
  };
  apply();
})();
