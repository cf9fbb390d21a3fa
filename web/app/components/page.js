// The frame of a page in the middle column: heading, a way back, and what stands beside the heading.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { back, restoreScroll, route } from "../state/router.js";
import { setTitle } from "../state/title.js";
import { Icon } from "./icon.js";
import { SmallAccount } from "./navigation.js";

let first = true;

/** After a change of page the focus is on its heading, so that screen readers say where one is. */
export function useFocusedHeading(heading) {
  useEffect(() => {
    if (first) first = false;
    else if (!document.activeElement?.closest("input, textarea, dialog")) heading.current.focus({ preventScroll: true });
  }, []);
}

export function Page({ title, withBack = false, actions = null, children, name = "" }) {
  const heading = useRef(null);
  useEffect(() => setTitle(title), [title]);
  useFocusedHeading(heading);
  useLayoutEffect(() => {
    if (route.peek().isBack) restoreScroll();
  }, []);
  return html`<div class="page page-${name}">
    <header class="page-head">
      ${!withBack && html`<${SmallAccount} />`}
      ${withBack && html`<button class="icon-button" aria-label=${t("back")} onClick=${back}><span class="flips"><${Icon} name="back" /></span></button>`}
      <h1 ref=${heading} tabindex="-1" dir="auto">${title}</h1>
      ${actions && html`<div class="page-actions">${actions}</div>`}
    </header>
    ${children}
  </div>`;
}
