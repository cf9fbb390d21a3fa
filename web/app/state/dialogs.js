// The dialog that is open, if any. Components for them are in components/dialogs.js.
import { signal } from "@preact/signals";

/** `{kind, ...properties}` on a stack, for a question may be asked over another dialog. */
export const dialogs = signal([]);

/** Opens a dialog of a kind, or one by its component, which is loaded with the view that it is for; the promise is what it is closed with. */
export function open(kind, properties = {}) {
  return new Promise((resolve) => {
    /** @type {any} */
    const dialog = { kind, ...properties };
    dialog.close = (result) => {
      dialogs.value = dialogs.peek().filter((each) => each !== dialog);
      resolve(result);
    };
    dialogs.value = [...dialogs.peek(), dialog];
  });
}

/** Asks yes or no. */
export function ask({ title, text = "", yes, danger = false }) {
  return open("question", { title, text, yes, danger });
}

export function closeAll() {
  for (const dialog of dialogs.peek()) dialog.close(undefined);
}
