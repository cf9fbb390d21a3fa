// A text field that grows, and completes @names and #hashtags as somebody types (a list box that the field controls).
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { get, query } from "../api/client.js";
import { Avatar } from "./avatar.js";
import { BEFORE } from "./rich_text.js";

const WORD = new RegExp(String.raw`${BEFORE}([@﹫＠](?:[\p{L}\p{N}_]|\.(?=[\p{L}\p{N}_])){1,40}|[#﹟＃][\p{L}\p{N}_]{1,40})$`, "u");
const PAUSE = 160;

/** Ctrl+Enter sends the form around it; `onFiles` is called for pictures that are pasted. */
export function TextArea({ label, value, onChange, rows = 3, focused = false, onFiles, placeholder = "", large = false }) {
  const field = useRef(null);
  const id = useId();
  const [found, setFound] = useState([]);
  const [at, setAt] = useState(0);
  const timer = useRef(0);
  useLayoutEffect(() => {
    field.current.style.height = "auto";
    field.current.style.height = `${field.current.scrollHeight}px`;
  }, [value]);
  useEffect(() => {
    if (focused) field.current.focus();
  }, [focused]);
  const typed = (event) => {
    onChange(event.currentTarget.value);
    clearTimeout(timer.current);
    const word = wordBefore(field.current);
    if (!word) return setFound([]);
    timer.current = setTimeout(async () => {
      const hits = (await suggestions(word)).filter((hit) => hit.text.slice(1).toLowerCase() !== word.slice(1).toLowerCase()); // written already
      if (wordBefore(field.current) === word) {
        setFound(hits);
        setAt(0);
      }
    }, PAUSE);
    return undefined;
  };
  const take = (hit) => {
    const word = wordBefore(field.current);
    const end = field.current.selectionStart;
    const start = end - word.length;
    const inserted = `${hit.text} `;
    onChange(value.slice(0, start) + inserted + value.slice(end));
    setFound([]);
    requestAnimationFrame(() => field.current?.setSelectionRange(start + inserted.length, start + inserted.length));
    field.current.focus();
  };
  const pressed = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return field.current.form?.requestSubmit();
    if (!found.length || event.isComposing) return undefined; // an input method has the keys while it composes
    if (event.key === "ArrowDown") setAt((at + 1) % found.length);
    else if (event.key === "ArrowUp") setAt((at + found.length - 1) % found.length);
    else if (event.key === "Enter" || event.key === "Tab") take(found[at]);
    else if (event.key === "Escape") setFound([]);
    else return undefined;
    event.stopPropagation();
    return event.preventDefault();
  };
  const pasted = (event) => {
    const { files, types } = event.clipboardData;
    const isText = types.includes("text/plain") && types.includes("text/html"); // office programs add a picture of it
    if (files.length && onFiles && !isText) {
      event.preventDefault();
      onFiles([...files]);
    }
  };
  return html`<div class="text-area">
    <textarea
      ref=${field}
      class="input ${large ? "input-large" : ""}"
      rows=${rows}
      dir="auto"
      aria-label=${label}
      placeholder=${placeholder || label}
      value=${value}
      aria-autocomplete="list"
      aria-haspopup="listbox"
      aria-controls=${found.length ? id : undefined}
      aria-activedescendant=${found.length ? `${id}-${at}` : undefined}
      onInput=${typed}
      onKeyDown=${pressed}
      onPaste=${pasted}
      onBlur=${() => setTimeout(() => setFound([]), 200)}
    ></textarea>
    ${found.length > 0 &&
    html`<ul class="completions" id=${id} role="listbox" aria-label=${t("complete.label")}>
      ${found.map(
        (hit, index) => html`<li key=${hit.text} id="${id}-${index}" role="option" aria-selected=${index === at} onPointerDown=${(event) => { event.preventDefault(); take(hit); }}>
          ${hit.person ? html`<${Avatar} person=${hit.person} size="small" /><span><span class="name" dir="auto">${hit.person.full_name || hit.person.username}</span> <span class="handle">${hit.text}</span></span>` : html`<span>${hit.text}</span>`}
        </li>`,
      )}
    </ul>`}
  </div>`;
}

function wordBefore(field) {
  if (!field || field.selectionStart !== field.selectionEnd) return "";
  return WORD.exec(field.value.slice(0, field.selectionStart))?.[1] || "";
}

async function suggestions(word) {
  const answer = await get(`/search/suggest${query({ q: word.slice(1) })}`).catch(() => null);
  const items = answer?.results || [];
  const isMention = /^[@﹫＠]/.test(word);
  return items
    .filter((hit) => hit.type.startsWith(isMention ? "user" : "hashtag"))
    .slice(0, 6)
    .map(({ item }) => (isMention ? { text: `@${item.username}`, person: item } : { text: `#${item.name}` }));
}
