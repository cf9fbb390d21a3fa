// Short messages at the edge of the screen, some with a button such as "Undo".
import { signal } from "@preact/signals";
import { t } from "../i18n/i18n.js";

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

/** What a Problem means to a person. */
export function explain(problem) {
  if (problem?.status === 429 && problem.retryAfter) return t("problem.too_many.for", { count: problem.retryAfter });
  const key = `problem.${problem?.code}`;
  const known = t(key);
  if (known !== key) return known;
  if (problem?.status === 0) return t("problem.offline");
  if (problem?.status === 429) return t("problem.too_many");
  if (problem?.status === 404) return t("problem.not_found");
  if (problem?.status >= 500) return t("problem.server");
  return problem?.errors?.[0]?.detail || problem?.message || t("problem.unknown");
}
