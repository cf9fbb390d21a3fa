// A button that opens a list of actions, for mouse, touch and keyboard (the menu button pattern of the ARIA guide).
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "./icon.js";

/** `items`: `{label, icon, run, href, danger, off}`; falsy ones are left out. */
export function Menu({ label, icon = "more", items, children, kind = "icon-button" }) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef(null);
  const close = (focus) => {
    setOpen(false);
    if (focus) box.current?.querySelector("button")?.focus();
  };
  useEffect(() => {
    if (!isOpen) return undefined;
    const list = box.current.querySelector("[role=menu]");
    const bar = document.querySelector(".bar")?.getBoundingClientRect().height || 0;
    const isTooLow = list.getBoundingClientRect().bottom > innerHeight - bar;
    list.classList.toggle("menu-up", isTooLow && box.current.getBoundingClientRect().top > list.offsetHeight);
    list.querySelector("[role=menuitem]")?.focus({ preventScroll: isTooLow });
    const outside = (event) => box.current?.contains(event.target) || close(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [isOpen]);
  const pressed = (event) => {
    const entries = [...box.current.querySelectorAll("[role=menuitem]")];
    const at = entries.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + entries.length, Home: 0, End: entries.length - 1 }[event.key];
    if (to !== undefined) entries[to % entries.length]?.focus();
    else if (event.key === "Escape") close(true);
    else if (event.key === "Tab") return close(false);
    else return undefined;
    event.preventDefault();
    return event.stopPropagation();
  };
  return html`<div class="menu" ref=${box}>
    <button type="button" class=${kind} aria-label=${label} aria-haspopup="menu" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
      ${children || html`<${Icon} name=${icon} />`}
    </button>
    ${isOpen &&
    html`<div class="menu-list" role="menu" aria-label=${label} onKeyDown=${pressed}>
      ${items.filter(Boolean).map((item) => html`<${Item} item=${item} close=${close} />`)}
    </div>`}
  </div>`;
}

function Item({ item, close }) {
  const content = html`<${Icon} name=${item.icon} size=${18} /><span>${item.label}</span>`;
  const chosen = () => {
    close(true);
    item.run?.();
  };
  const look = `menu-item ${item.danger ? "danger" : ""}`;
  if (item.href) return html`<a role="menuitem" tabindex="-1" class=${look} href=${item.href} onClick=${chosen}>${content}</a>`;
  return html`<button type="button" role="menuitem" tabindex="-1" class=${look} onClick=${chosen}>${content}</button>`;
}
