// A point in time: how long ago, which goes on while it is shown, and in full as a title.
import { signal } from "@preact/signals";
import { html } from "../html.js";
import { ago, moment } from "../i18n/i18n.js";

const EVERY = 60_000;
const minutes = signal(0);
setInterval(() => document.hidden || (minutes.value += 1), EVERY);
document.addEventListener("visibilitychange", () => document.hidden || (minutes.value += 1));

export function Time({ at }) {
  minutes.value;
  return html`<time datetime=${at} title=${moment(at)}>${ago(at)}</time>`;
}
