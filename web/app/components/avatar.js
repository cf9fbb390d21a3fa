// A person's picture, or their initials on a color that is always the same for them.
import { useState } from "preact/hooks";
import { html } from "../html.js";

const HUES = 12;
// With its marks, as an emoji of several parts, or as a flag.
const FIRST_CHARACTER = /^(?:\p{RI}{2}|.(?:[\p{M}\p{EMod}]|\u200d.)*)/su;

function hueOf(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 9973;
  return sum % HUES;
}

export function initialsOf(person) {
  const words = (person.full_name || person.username || "?").trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => FIRST_CHARACTER.exec(word)?.[0]).join("").toUpperCase();
}

/** `size`: small, medium, large or huge. Decoration: names stand beside it. */
export function Avatar({ person, size = "medium" }) {
  const [broken, setBroken] = useState(false);
  const who = person || { username: "?" };
  if (who.profile_picture && !broken) {
    return html`<img class="avatar avatar-${size}" src=${who.profile_picture} alt="" loading="lazy" decoding="async" onError=${() => setBroken(true)} />`;
  }
  return html`<span class="avatar avatar-${size} hue-${hueOf(who.username || "?")}" aria-hidden="true">${initialsOf(who)}</span>`;
}
