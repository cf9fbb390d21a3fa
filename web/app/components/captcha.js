// A captcha before sign-up, where the server asks for one. The provider's script runs in a frame with a policy of its own.
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { language, t } from "../i18n/i18n.js";

/** `onSolved(response)` is called with what the server checks. */
export function Captcha({ onSolved }) {
  const frame = useRef(null);
  useEffect(() => {
    const told = (event) => {
      if (event.origin !== location.origin || event.source !== frame.current?.contentWindow) return;
      if (typeof event.data?.captcha === "string") onSolved(event.data.captcha);
    };
    addEventListener("message", told);
    return () => removeEventListener("message", told);
  }, []);
  return html`<iframe ref=${frame} class="captcha" src="/captcha?language=${language.value}" title=${t("signup.captcha")}></iframe>`;
}
