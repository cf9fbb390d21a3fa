// An appeal against a decision of moderators.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { post } from "../api/client.js";
import { open } from "../state/dialogs.js";
import { complain, toast } from "../state/toasts.js";
import { Field } from "./field.js";
import { Form } from "./form.js";
import { Modal } from "./modal.js";

/** Opens the dialog; the appeal that was made, or undefined. */
export function writeAppeal(action) {
  return open(AppealDialog, { action });
}

function AppealDialog({ action, close }) {
  const [text, setText] = useState("");
  const send = async () => {
    try {
      close(await post("/appeals", { action_id: action, text: text.trim() }));
      toast(t("appeal.sent"));
    } catch (problem) {
      complain(problem);
      if (problem.status === 409) close(); // there is one, or it is too late: what is shown is old
    }
  };
  return html`<${Modal} title=${t("appeal.title")} onClose=${close}>
    <${Form} class="form" onSubmit=${send}>
      <p>${t("appeal.text")}</p>
      <${Field} multiline rows="5" maxlength="2000" label=${t("appeal.label")} autofocus required value=${text} onInput=${(event) => setText(event.currentTarget.value)} />
      <div class="form-foot"><button type="button" class="button" onClick=${close}>${t("cancel")}</button><button class="button button-primary" disabled=${!text.trim()}>${t("appeal.send")}</button></div>
    <//>
  <//>`;
}
