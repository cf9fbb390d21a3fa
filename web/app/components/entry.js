// The frame of pages for getting in: logo, heading, a card in the middle.
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { instance } from "../state/instance.js";
import { setTitle } from "../state/title.js";
import { useFocusedHeading } from "./page.js";

export function Entry({ title, children, foot = null }) {
  const heading = useRef(null);
  useEffect(() => setTitle(title), [title]);
  useFocusedHeading(heading);
  return html`<div class="entry">
    <a class="brand" href="/" aria-label=${instance.value.name}><img src="/static/favicon.svg" alt="" width="44" height="44" /></a>
    <h1 ref=${heading} tabindex="-1">${title}</h1>
    <div class="entry-card">${children}</div>
    ${foot && html`<p class="entry-foot">${foot}</p>`}
  </div>`;
}
