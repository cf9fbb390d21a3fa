// A modal dialog. The browser keeps the focus inside, and Escape closes it.
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { Icon } from "./icon.js";
import { Toaster } from "./toaster.js";

let last = 0;

/** `onClose` is called for Escape, the button and a click outside; `full` fills the window, as pictures do. */
export function Modal({ title, onClose, full = false, children, footer = null, guarded = false }) {
  const element = useRef(null);
  const id = useRef(`modal-${++last}`);
  useLayoutEffect(() => {
    const dialog = element.current;
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    dialog.showModal();
    return () => {
      dialog.close();
      before?.focus?.({ preventScroll: true });
    };
  }, []);
  const cancelled = (event) => {
    event.preventDefault();
    onClose();
  };
  const clicked = (event) => {
    if (event.target === element.current && !guarded) onClose();
  };
  return html`<dialog ref=${element} class="modal ${full ? "modal-full" : ""}" aria-labelledby=${id.current} onCancel=${cancelled} onMouseDown=${clicked}>
    <div class="modal-box">
      <header class="modal-head">
        <h2 id=${id.current}>${title}</h2>
        <button class="icon-button" aria-label=${t("close")} onClick=${onClose}><${Icon} name="close" /></button>
      </header>
      <div class="modal-body">${children}</div>
      ${footer && html`<footer class="modal-foot">${footer}</footer>`}
    </div>
    <${Toaster} within />
  </dialog>`;
}
