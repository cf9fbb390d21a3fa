// The frame of a page in the middle column: heading, a way back, and what stands beside the heading.
import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { back } from "../state/router.js";
import { setTitle } from "../state/title.js";
import { Icon } from "./icon.js";

export function Page({ title, withBack = false, actions = null, children, name = "" }) {
  useEffect(() => setTitle(title), [title]);
  return html`<div class="page page-${name}">
    <header class="page-head">
      ${withBack && html`<button class="icon-button" aria-label=${t("back")} onClick=${back}><span class="flips"><${Icon} name="back" /></span></button>`}
      <h1 tabindex="-1">${title}</h1>
      ${actions && html`<div class="page-actions">${actions}</div>`}
    </header>
    ${children}
  </div>`;
}
