// Applies the chosen appearance before the first paint. A classic script: modules would run after it.
(() => {
  const root = document.documentElement;
  try {
    const chosen = JSON.parse(localStorage.getItem("appearance") || "{}");
    if (chosen.theme && chosen.theme !== "system") root.dataset.theme = chosen.theme;
    if (chosen.size) root.dataset.size = chosen.size;
    if (chosen.density) root.dataset.density = chosen.density;
    if (chosen.motion) root.dataset.motion = chosen.motion;
    const language = localStorage.getItem("language");
    if (language) {
      root.lang = language;
      root.dir = language === "ar" ? "rtl" : "ltr";
    }
  } catch {
    // Storage is switched off: the defaults are fine.
  }
})();
