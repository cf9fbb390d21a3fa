// What a page says when it has nothing to show, or could not get it.
import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { explain } from "../state/problems.js";
import { Icon } from "./icon.js";

export function Empty({ icon = "compass", title, text, children }) {
  return html`<div class="state">
    <span class="state-icon"><${Icon} name=${icon} size=${32} /></span>
    <h2>${title}</h2>
    ${text && html`<p>${text}</p>`}
    ${children}
  </div>`;
}

/** Tries again by itself when there is a connection again. */
export function Failed({ problem, onRetry = null }) {
  useEffect(() => {
    if (!onRetry) return undefined;
    addEventListener("online", onRetry);
    return () => removeEventListener("online", onRetry);
  }, [onRetry]);
  return html`<div class="state" role="alert">
    <span class="state-icon"><${Icon} name="warning" size=${32} /></span>
    <h2>${t("failed.title")}</h2>
    <p>${explain(problem)}</p>
    ${onRetry && html`<button class="button" onClick=${onRetry}>${t("failed.retry")}</button>`}
  </div>`;
}
