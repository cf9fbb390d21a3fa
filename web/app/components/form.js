// A form that is sent once at a time, shows that it is being sent, and leads to the first field that was refused.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";

/**
 * `onSubmit` sends it, and is not called again before its promise is settled; all other properties go to the element.
 * @param {{onSubmit: () => any, class?: string, children?: any}} properties
 */
export function Form({ onSubmit, children, ...rest }) {
  const element = useRef(/** @type {HTMLFormElement | null} */ (null));
  const isSent = useRef(false); // two clicks come before the first is rendered
  const [busy, setBusy] = useState(false);
  useLayoutEffect(() => {
    const refused = /** @type {HTMLElement | null} */ (element.current?.querySelector("[aria-invalid=true]"));
    if (!busy) refused?.focus();
  }, [busy]);
  const send = async (event) => {
    event.preventDefault();
    if (isSent.current) return;
    isSent.current = true;
    setBusy(true);
    try {
      await onSubmit();
    } finally {
      isSent.current = false;
      setBusy(false);
    }
  };
  return html`<form ...${rest} ref=${element} aria-busy=${busy} onSubmit=${send}>${children}</form>`;
}
