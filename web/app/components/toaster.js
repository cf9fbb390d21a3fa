// Shows the toasts, and has screen readers say them.
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { act, dismiss, toasts } from "../state/toasts.js";
import { Icon } from "./icon.js";

/** `within`: in a dialog, which hides the page's own, only what went wrong: all else is said when it has closed. */
export function Toaster({ within = false }) {
  return html`<div class="toaster" role="status" aria-live="polite">
    ${toasts.value.filter((toast) => !within || toast.kind === "bad").map(
      (toast) => html`<div class="toast toast-${toast.kind}" key=${toast.id}>
        <span>${toast.text}</span>
        ${toast.action && html`<button class="toast-action" onClick=${() => act(toast.id)}>${toast.action.label}</button>`}
        <button class="toast-close" aria-label=${t("close")} onClick=${() => dismiss(toast.id)}><${Icon} name="close" size=${16} /></button>
      </div>`,
    )}
  </div>`;
}
