// A labelled field with its hint and its error.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { Icon } from "./icon.js";

/** `multiline` makes it a textarea; all other properties go to the element. With `autofocus` it has the focus when it appears. */
export function Field({ label, hint = "", error = "", multiline = false, ...rest }) {
  const id = useId();
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const notes = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (rest.autofocus) element.current?.focus(); // the browser heeds the attribute once a document
  }, []);
  const isPassword = rest.type === "password";
  /** @type {Record<string, any>} */
  const shared = { ...rest, id, ref: element, class: "input", "aria-describedby": notes || undefined, "aria-invalid": error ? "true" : undefined };
  if (isPassword && shown) shared.type = "text";
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
    <div class="input-box">
      ${multiline ? html`<textarea ...${shared}></textarea>` : html`<input ...${shared} />`}
      ${isPassword &&
      html`<button type="button" class="icon-button input-button" aria-label=${t("password.show")} aria-pressed=${shown} onClick=${() => setShown(!shown)}>
        <${Icon} name=${shown ? "eyeOff" : "eye"} size=${20} />
      </button>`}
    </div>
    ${error && html`<p class="field-error" id="${id}-error">${error}</p>`}
  </div>`;
}

/** A switch with its label and hint. */
export function Toggle({ label, hint = "", checked, onChange, disabled = false }) {
  const id = useId();
  return html`<label class="toggle" for=${id}>
    <span><span class="toggle-label">${label}</span>${hint && html`<span class="hint">${hint}</span>`}</span>
    <input id=${id} type="checkbox" role="switch" checked=${checked} disabled=${disabled} onChange=${(event) => onChange(event.currentTarget.checked)} />
  </label>`;
}

/** One of several: `options` is a list of `[value, label]`. */
export function Choice({ label, options, value, onChange }) {
  const name = useId();
  return html`<fieldset class="choice">
    <legend>${label}</legend>
    <div class="choice-options">
      ${options.map(
        ([each, text]) => html`<label class="choice-option" key=${each}>
          <input type="radio" name=${name} value=${each} checked=${each === value} onChange=${() => onChange(each)} />
          <span>${text}</span>
        </label>`,
      )}
    </div>
  </fieldset>`;
}
