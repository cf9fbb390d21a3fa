// A point in time: how long ago, and in full as a title.
import { html } from "../html.js";
import { ago, moment } from "../i18n/i18n.js";

export function Time({ at }) {
  return html`<time datetime=${at} title=${moment(at)}>${ago(at)}</time>`;
}
