// The reaction on a post or comment: a click likes or takes back; hovering, a long press or the arrow offers all five.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { count, t } from "../i18n/i18n.js";
import { REACTIONS, react } from "../state/posts.js";
import { Icon } from "./icon.js";

export const FACES = { like: "👍", love: "❤️", haha: "😂", sad: "😢", angry: "😠" };
const LONG_PRESS = 450;

export function ReactionButton({ kind, item }) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef(null);
  const press = useRef({ timer: 0, long: false });
  const mine = item.my_reaction;
  const total = Object.values(item.reactions || {}).reduce((sum, each) => sum + each, 0);
  useEffect(() => {
    if (!isOpen) return undefined;
    const outside = (event) => box.current?.contains(event.target) || setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [isOpen]);
  const choose = (type) => {
    setOpen(false);
    box.current.querySelector(".action").focus();
    react(kind, item.id, type === mine ? null : type);
  };
  const down = (event) => {
    press.current.long = false;
    if (event.pointerType === "mouse") return;
    press.current.timer = setTimeout(() => {
      press.current.long = true;
      setOpen(true);
    }, LONG_PRESS);
  };
  const clicked = () => {
    clearTimeout(press.current.timer);
    if (!press.current.long) choose(mine || "like");
  };
  const pressed = (event) => {
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      setOpen(true);
      requestAnimationFrame(() => box.current?.querySelector("[role=menuitemradio]")?.focus());
    }
  };
  const label = `${mine ? t(`reaction.${mine}`) : t("reaction.like")}, ${t("reaction.count", { count: total })}`;
  return html`<div class="reaction" ref=${box} onMouseLeave=${() => setOpen(false)}>
    <button
      type="button"
      class="action ${mine ? "on-love" : ""}"
      aria-pressed=${!!mine}
      aria-label=${label}
      aria-keyshortcuts="ArrowUp"
      onPointerDown=${down}
      onPointerUp=${() => clearTimeout(press.current.timer)}
      onContextMenu=${(event) => press.current.long && event.preventDefault()}
      onMouseEnter=${() => matchMedia("(hover: hover)").matches && setOpen(true)}
      onClick=${clicked}
      onKeyDown=${pressed}
    >
      ${mine ? html`<span class="face" aria-hidden="true">${FACES[mine]}</span>` : html`<${Icon} name="heart" size=${20} />`}
      ${total > 0 && html`<span>${count(total)}</span>`}
    </button>
    ${isOpen && html`<${Faces} mine=${mine} choose=${choose} close=${() => setOpen(false)} />`}
  </div>`;
}

function Faces({ mine, choose, close }) {
  const pressed = (event) => {
    const faces = [...event.currentTarget.children];
    const at = faces.indexOf(document.activeElement);
    if (event.key === "Escape") {
      event.currentTarget.parentElement.querySelector(".action").focus();
      close();
    }
    const onwards = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    if (event.key === onwards) faces[(at + 1) % faces.length].focus();
    else if (event.key.match(/ArrowLeft|ArrowRight/)) faces[(at + faces.length - 1) % faces.length].focus();
    event.stopPropagation();
  };
  return html`<div class="faces" role="menu" aria-label=${t("reaction.choose")} onKeyDown=${pressed}>
    ${REACTIONS.map(
      (type) => html`<button type="button" key=${type} role="menuitemradio" aria-checked=${type === mine} aria-label=${t(`reaction.${type}`)} title=${t(`reaction.${type}`)} onClick=${() => choose(type)}>
        ${FACES[type]}
      </button>`,
    )}
  </div>`;
}
