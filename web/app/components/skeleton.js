// What stands where something is being loaded.
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";

/** `kind`: post, person or line. */
export function Skeleton({ kind = "post", number = 3 }) {
  return html`<div class="skeletons" role="status" aria-label=${t("loading")}>
    ${Array.from({ length: number }, () => html`<${Shape} kind=${kind} />`)}
  </div>`;
}

function Shape({ kind }) {
  return html`<div class="skeleton skeleton-${kind}" aria-hidden="true">
    <span class="bone bone-round"></span>
    <div class="bones">
      <span class="bone bone-short"></span>
      <span class="bone"></span>
      ${kind === "post" && html`<span class="bone bone-long"></span>`}
    </div>
  </div>`;
}

export function Spinner() {
  return html`<span class="spinner" role="status" aria-label=${t("loading")}></span>`;
}
