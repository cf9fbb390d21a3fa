// Asking for a mail to set a new password.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { post } from "../api/client.js";
import { explain } from "../state/problems.js";
import { Entry } from "../components/entry.js";
import { Field } from "../components/field.js";
import { Form } from "../components/form.js";

export function View() {
  const [email, setEmail] = useState("");
  const [sent, setSent] = useState(false);
  const [error, setError] = useState("");
  const send = async () => {
    setError("");
    await post("/auth/password/forgot", { email: email.trim() }, { anonymous: true }).then(() => setSent(true), (problem) => setError(explain(problem)));
  };
  return html`<${Entry} title=${t("forgot.title")} foot=${html`<a href="/login">${t("forgot.back")}</a>`}>
    ${sent
      ? html`<p role="status">${t("forgot.sent", { email })}</p>`
      : html`<${Form} class="form" onSubmit=${send}>
          <p>${t("forgot.text")}</p>
          <${Field} label=${t("signup.email")} type="email" autocomplete="email" required value=${email} error=${error} onInput=${(event) => setEmail(event.currentTarget.value)} />
          <button class="button button-primary button-wide">${t("forgot.do")}</button>
        <//>`}
  <//>`;
}
