// Dialogs of a few lines: a question, the invitation to join, the shortcuts.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { instance } from "../state/instance.js";
import { shortcutsOn } from "../state/shortcuts.js";
import { Toggle } from "./field.js";
import { Modal } from "./modal.js";

export function QuestionDialog({ title, text, yes, danger, close }) {
  return html`<${Modal} title=${title} onClose=${() => close(false)}>
    ${text && html`<p class="question" dir="auto">${text}</p>`}
    <div class="form-foot">
      <button class="button" onClick=${() => close(false)}>${t("cancel")}</button>
      <button class="button ${danger ? "button-danger" : "button-primary"}" onClick=${() => close(true)}>${yes}</button>
    </div>
  <//>`;
}

export function JoinDialog({ close }) {
  return html`<${Modal} title=${t("join.title", { name: instance.value.name })} onClose=${close}>
    <p>${t("join.text")}</p>
    <div class="form-foot">
      <a class="button" href="/login" onClick=${close}>${t("login.do")}</a>
      <a class="button button-primary" href="/signup" onClick=${close}>${t("signup.do")}</a>
    </div>
  <//>`;
}

const KEYS = [
  ["j k", "shortcuts.step"], ["o", "shortcuts.open"], ["n", "shortcuts.new"], ["r", "shortcuts.reply"], ["l", "shortcuts.like"],
  ["t", "shortcuts.repost"], ["b", "shortcuts.bookmark"], ["/", "shortcuts.search"], ["g h", "nav.home"], ["g e", "nav.explore"],
  ["g n", "nav.notifications"], ["g b", "nav.bookmarks"], ["g p", "nav.profile"], ["g s", "nav.settings"], ["?", "shortcuts.title"],
];

export function ShortcutsDialog({ close }) {
  const [on, setOn] = useState(shortcutsOn());
  const change = (value) => {
    localStorage.setItem("shortcuts", value ? "on" : "off");
    setOn(value);
  };
  return html`<${Modal} title=${t("shortcuts.title")} onClose=${close}>
    <${Toggle} label=${t("shortcuts.on")} checked=${on} onChange=${change} />
    <dl class="keys">${KEYS.map(([keys, label]) => html`<div key=${keys}><dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${t(label)}</dd></div>`)}</dl>
  <//>`;
}
