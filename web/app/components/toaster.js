// Shows the toasts, and has screen readers say them.
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { dismiss, toasts } from "../state/toasts.js";
import { Icon } from "./icon.js";

export function Toaster() {
  return html`<div class="toaster" role="status" aria-live="polite">
    ${toasts.value.map(
      (toast) => html`<div class="toast toast-${toast.kind}" key=${toast.id}>
        <span>${toast.text}</span>
        ${toast.action && html`<button class="toast-action" onClick=${() => act(toast)}>${toast.action.label}</button>`}
        <button class="toast-close" aria-label=${t("close")} onClick=${() => dismiss(toast.id)}><${Icon} name="close" size=${16} /></button>
      </div>`,
    )}
  </div>`;
}

function act(toast) {
  dismiss(toast.id);
  toast.action.run();
}
