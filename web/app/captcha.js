// In the captcha's frame: shows the provider's widget, and tells the page around it what was solved.
(() => {
  const LOAD_AGAIN = 3_000;
  const box = document.querySelector("[data-sitekey]");
  const tell = (captcha) => parent.postMessage({ captcha }, location.origin);
  globalThis.showCaptcha = () => {
    const provider = globalThis[box.dataset.provider];
    const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    provider.render(box, { sitekey: box.dataset.sitekey, theme, callback: tell, "expired-callback": () => tell("") });
  };
  // Without the provider's script there is no widget, and nobody can sign up.
  addEventListener("error", ({ target }) => target instanceof HTMLScriptElement && setTimeout(() => location.reload(), LOAD_AGAIN), true);
})();
