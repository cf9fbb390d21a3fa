// Links to the parts of a page, the present one marked.
import { html } from "../html.js";

/** `tabs`: `[address, label]`. */
export function Tabs({ tabs, current, label }) {
  return html`<nav class="tabs" aria-label=${label}>
    ${tabs.map(([href, text]) => html`<a key=${href} href=${href} aria-current=${href === current ? "page" : undefined}>${text}</a>`)}
  </nav>`;
}
