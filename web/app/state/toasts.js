// Short messages at the edge of the screen, some with a button such as "Undo".
import { signal } from "@preact/signals";
import { explain } from "./problems.js";

const SHOWN_FOR = 6_000;

export const toasts = signal([]);
let last = 0;

/** Shows a message; `action` is `{label, run}`. Answers its number. */
export function toast(text, { action = null, kind = "plain", seconds = SHOWN_FOR / 1000 } = {}) {
  const id = ++last;
  toasts.value = [...toasts.peek().slice(-2), { id, text, action, kind }];
  setTimeout(() => dismiss(id), seconds * 1000);
  return id;
}

export function dismiss(id) {
  toasts.value = toasts.peek().filter((each) => each.id !== id);
}

/** Says what went wrong, in words of the interface. */
export function complain(problem) {
  if (problem?.name === "AbortError") return;
  toast(explain(problem), { kind: "bad" });
}
