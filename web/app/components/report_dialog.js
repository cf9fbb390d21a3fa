// Reporting a post, comment or person, with the server's rules as reasons.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { newKey, post } from "../api/client.js";
import { instance, loadInstance } from "../state/instance.js";
import { complain, toast } from "../state/toasts.js";
import { Choice, Field } from "./field.js";
import { Modal } from "./modal.js";

const REASONS = ["spam", "abuse", "hate", "violence", "nudity", "self_harm", "illegal", "other"];

export function ReportDialog({ target, id, close }) {
  const [reason, setReason] = useState("spam");
  const [details, setDetails] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => void loadInstance(), []);
  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await post("/reports", { target_type: target, target_id: id, reason, ...(details.trim() ? { details: details.trim() } : {}) }, { key: newKey() });
      toast(t("report.sent"));
      close();
    } catch (problem) {
      complain(problem);
      setBusy(false);
    }
  };
  const rules = instance.value.rules || [];
  return html`<${Modal} title=${t(`report.title.${target}`)} onClose=${close}>
    <form class="form" onSubmit=${send}>
      <p>${t("report.text")}</p>
      ${rules.length > 0 && html`<details><summary>${t("report.rules")}</summary><ol class="rules">${rules.map((rule) => html`<li>${rule.text || rule}</li>`)}</ol></details>`}
      <${Choice} label=${t("report.reason")} value=${reason} onChange=${setReason} options=${REASONS.map((each) => [each, t(`report.reason.${each}`)])} />
      <${Field} multiline label=${t("report.details")} maxlength="1000" rows="3" value=${details} onInput=${(event) => setDetails(event.currentTarget.value)} />
      <div class="form-foot"><button type="button" class="button" onClick=${close}>${t("cancel")}</button><button class="button button-danger" disabled=${busy}>${t("report.send")}</button></div>
    </form>
  <//>`;
}
