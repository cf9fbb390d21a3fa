// Runs before the first paint, and before the modules: the chosen appearance, and what the first view will ask for.
// A classic script: modules would run after the paint.
(() => {
  const root = document.documentElement;
  const given = (name) => document.querySelector(`meta[name=${name}]`)?.getAttribute("content") || "";
  const early = {};
  Object.assign(globalThis, { early });

  /** Asks for an address now; the answer waits, read, for the module that wants it. */
  function ask(address) {
    early[address] = fetch(address).then(
      async (answer) => {
        const text = await answer.text();
        return { ok: answer.ok, status: answer.status, headers: answer.headers, text: async () => text, json: async () => JSON.parse(text) };
      },
      () => null,
    );
  }

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
    if (localStorage.getItem("signed-in")) root.dataset.signedIn = "";
  } catch {
    // Storage is switched off: the defaults are fine.
  }
  ask(`${given("client-root")}i18n/${root.lang}.json`);
  if (!("signedIn" in root.dataset)) for (const path of given("client-first").split(" ")) if (path) ask(`/v1${path}`);
})();
