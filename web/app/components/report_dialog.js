// Reporting a post, comment or person, with the server's rules as reasons.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { get, newKey, post } from "../api/client.js";
import { complain, toast } from "../state/toasts.js";
import { Choice, Field } from "./field.js";
import { Form } from "./form.js";
import { Modal } from "./modal.js";

const REASONS = ["spam", "abuse", "hate", "violence", "nudity", "self_harm", "illegal", "other"];

export function Dialog({ target, id, close }) {
  const [reason, setReason] = useState("");
  const [details, setDetails] = useState("");
  const [rules, setRules] = useState([]);
  const [rule, setRule] = useState("");
  useEffect(() => void get("/moderation/rules", { anonymous: true }).then((found) => setRules(found.results || found), () => null), []);
  const send = async () => {
    try {
      await post("/reports", { target_type: target, target_id: id, reason, ...(rule ? { rule_id: rule } : {}), ...(details.trim() ? { details: details.trim() } : {}) }, { key: newKey() });
      toast(t("report.sent"));
      close();
    } catch (problem) {
      complain(problem);
    }
  };
  return html`<${Modal} title=${t(`report.title.${target}`)} onClose=${close}>
    <${Form} class="form" onSubmit=${send}>
      <p>${t("report.text")}</p>
      <${Choice} label=${t("report.reason")} value=${reason} onChange=${setReason} options=${REASONS.map((each) => [each, t(`report.reason.${each}`)])} />
      ${rules.length > 0 && html`<${Choice} label=${t("report.rule")} value=${rule} onChange=${setRule} options=${[["", t("report.rule.none")], ...rules.map((each) => [each.id, `${each.number}. ${each.text}`])]} />`}
      <${Field} multiline label=${t("report.details")} maxlength="1000" rows="3" value=${details} onInput=${(event) => setDetails(event.currentTarget.value)} />
      <div class="form-foot"><button type="button" class="button" onClick=${close}>${t("cancel")}</button><button class="button button-danger" disabled=${!reason}>${t("report.send")}</button></div>
    <//>
  <//>`;
}
