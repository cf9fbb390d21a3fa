// Short messages at the edge of the screen, some with a button such as "Undo".
import { signal } from "@preact/signals";
import { explain } from "./problems.js";

const SHOWN_FOR = 6_000;
const LOOK_AGAIN = 1_000;
const MOST = 3;

export const toasts = signal([]);
let last = 0;

/** Shows a message; `action` is `{label, run}`, and `onGone` is called when it goes without it. Answers its number. */
export function toast(text, { action = null, kind = "plain", seconds = SHOWN_FOR / 1000, onGone = null } = {}) {
  const id = ++last;
  for (const older of toasts.peek().slice(0, 1 - MOST)) dismiss(older.id);
  toasts.value = [...toasts.peek(), { id, text, action, kind, onGone }];
  setTimeout(() => expire(id), seconds * 1000);
  return id;
}

/** Messages stay while somebody points at one or has the focus in one (WCAG 2.2.1). A touch screen only knows the last tap. */
function expire(id) {
  const held = matchMedia("(hover: hover)").matches ? ".toaster:is(:hover, :focus-within)" : ".toaster:focus-within";
  if (document.querySelector(held)) setTimeout(() => expire(id), LOOK_AGAIN);
  else dismiss(id);
}

/** Takes a message away; answers what its `onGone` does. */
export function dismiss(id) {
  return take(id)?.onGone?.();
}

/** Does what the button of a message says. */
export function act(id) {
  take(id)?.action.run();
}

function take(id) {
  const taken = toasts.peek().find((each) => each.id === id);
  toasts.value = toasts.peek().filter((each) => each !== taken);
  return taken;
}

/** Says what went wrong, in words of the interface. */
export function complain(problem) {
  if (problem?.name === "AbortError") return;
  toast(explain(problem), { kind: "bad" });
}
