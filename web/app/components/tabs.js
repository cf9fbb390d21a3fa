// Links to the parts of a page, the present one marked and in sight.
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";

/** `tabs`: `[address, label]`. */
export function Tabs({ tabs, current, label }) {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    const box = element.current?.getBoundingClientRect();
    const here = element.current?.querySelector("[aria-current]")?.getBoundingClientRect();
    if (box && here) element.current.scrollLeft += here.left + here.width / 2 - box.left - box.width / 2;
  }, [current]);
  return html`<nav ref=${element} class="tabs" aria-label=${label}>
    ${tabs.map(([href, text]) => html`<a key=${href} href=${href} data-stays aria-current=${href === current ? "page" : undefined}>${text}</a>`)}
  </nav>`;
}
