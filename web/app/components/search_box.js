// The search field: suggestions as somebody types, recent searches, help for operators.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { get, query } from "../api/client.js";
import { go, route } from "../state/router.js";
import { forgetRecent, noteRecent, recent } from "../state/recent.js";
import { Avatar } from "./avatar.js";
import { Icon } from "./icon.js";

const PAUSE = 180;

export function SearchBox({ focused = false }) {
  const asked = route.value.name === "search" ? route.value.query.get("q") || "" : "";
  const [text, setText] = useState(asked);
  const [found, setFound] = useState([]);
  const [isOpen, setOpen] = useState(false);
  const field = useRef(null);
  const box = useRef(null);
  useEffect(() => {
    setText(asked);
    if (asked) setOpen(false);
  }, [asked]);
  useEffect(() => {
    if (focused) field.current.focus();
  }, []);
  useEffect(() => {
    if (!isOpen || text.trim().length < 2) return setFound([]);
    let isLast = true; // a slow answer may come after the one to what was typed later
    const timer = setTimeout(async () => {
      const answer = await get(`/search/suggest${query({ q: text.trim() })}`).catch(() => null);
      if (isLast) setFound((answer?.results || []).slice(0, 7));
    }, PAUSE);
    return () => {
      isLast = false;
      clearTimeout(timer);
    };
  }, [text, isOpen]);
  const search = (what) => {
    if (!what.trim()) return;
    setOpen(false);
    noteRecent(what.trim());
    field.current.blur();
    go(`/search${query({ q: what.trim() })}`);
  };
  const left = (event) => {
    if (!box.current?.contains(event.relatedTarget)) setOpen(false);
  };
  const pressed = (event) => {
    if (event.key === "Escape") {
      field.current.focus();
      setOpen(false);
    }
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || event.isComposing) return;
    const stops = [field.current, .../** @type {NodeListOf<HTMLElement>} */ (box.current.querySelectorAll(".search-hit"))];
    const next = stops[stops.indexOf(document.activeElement) + by];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
  const showsRecent = isOpen && !text.trim() && recent.value.length > 0;
  return html`<form class="search" role="search" ref=${box} onFocusOut=${left} onSubmit=${(event) => { event.preventDefault(); search(text); }} onKeyDown=${pressed}>
    <${Icon} name="search" size=${20} />
    <input ref=${field} class="input" type="search" enterkeyhint="search" autocomplete="off" dir="auto" aria-label=${t("search.label")} placeholder=${t("search.label")} value=${text} onFocus=${() => setOpen(true)} onInput=${(event) => { setText(event.currentTarget.value); setOpen(true); }} />
    ${showsRecent &&
    html`<div class="search-list">
      <p class="search-head">${t("search.recent")} <button type="button" class="link" onClick=${forgetRecent}>${t("search.forget")}</button></p>
      ${recent.value.map((each) => html`<button type="button" key=${each} class="search-hit" onClick=${() => search(each)}><${Icon} name="history" size=${18} /><span dir="auto">${each}</span></button>`)}
    </div>`}
    ${isOpen && text.trim() &&
    html`<div class="search-list">
      ${found.map((hit) => html`<${Hit} key=${hit.item.id || hit.item.name} hit=${hit} onChosen=${() => setOpen(false)} />`)}
      <button type="submit" class="search-hit"><${Icon} name="search" size=${18} /><span dir="auto">${t("search.for", { text: text.trim() })}</span></button>
    </div>`}
  </form>`;
}

function Hit({ hit, onChosen }) {
  if (hit.type.startsWith("hashtag")) {
    return html`<a class="search-hit" href="/hashtags/${encodeURIComponent(hit.item.name)}" onClick=${onChosen}><${Icon} name="hash" size=${18} /><span dir="auto">${hit.item.name}</span></a>`;
  }
  return html`<a class="search-hit" href="/@${hit.item.username}" onClick=${onChosen}>
    <${Avatar} person=${hit.item} size="small" /><span><span class="name" dir="auto">${hit.item.full_name || hit.item.username}</span> <span class="handle"><bdi dir="ltr">@${hit.item.username}</bdi></span></span>
  </a>`;
}
