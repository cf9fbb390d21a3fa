// Asks who is signed in to prove it again, before something important: `POST /auth/confirm`.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { post } from "../api/client.js";
import { assertion, supported } from "../api/passkeys.js";
import { explain } from "../state/problems.js";
import { complain, toast } from "../state/toasts.js";
import { Field } from "./field.js";
import { Form } from "./form.js";
import { Icon } from "./icon.js";
import { Modal } from "./modal.js";

export function Dialog({ methods, close }) {
  const known = methods?.length ? methods : ["password"];
  const [method, setMethod] = useState(known.find((each) => each !== "passkey") || known[0]);
  const [value, setValue] = useState("");
  const [error, setError] = useState("");
  const prove = async (body) => {
    try {
      await post("/auth/confirm", body);
      close(true);
    } catch (problem) {
      setError(explain(problem));
    }
  };
  const byPasskey = async () => {
    try {
      await prove({ passkey: await assertion() });
    } catch (problem) {
      if (problem.name !== "NotAllowedError") complain(problem);
    }
  };
  const mailCode = async () => {
    setMethod("code");
    await post("/auth/confirm/code").then(() => toast(t("confirm.mailed")), complain);
  };
  const attributes = method === "password" ? { type: "password", autocomplete: "current-password" } : { inputmode: "numeric", autocomplete: "one-time-code" };
  return html`<${Modal} title=${t("confirm.title")} onClose=${() => close(false)}>
    <${Form} class="form" onSubmit=${() => prove({ [method]: value.trim() })}>
      <p>${t("confirm.text")}</p>
      ${method !== "passkey" && html`<${Field} key=${method} label=${t(`confirm.${method}`)} value=${value} error=${error} required autofocus ...${attributes} onInput=${(event) => setValue(event.currentTarget.value)} />`}
      <div class="form-foot">
        ${method !== "passkey" && html`<button class="button button-primary" disabled=${!value}>${t("confirm.do")}</button>`}
        ${known.includes("passkey") && supported() && html`<button type="button" class="button" onClick=${byPasskey}><${Icon} name="key" size=${18} /> ${t("login.passkey")}</button>`}
        ${known.includes("otp") && method !== "otp" && html`<button type="button" class="link" onClick=${() => setMethod("otp")}>${t("confirm.otp")}</button>`}
        ${known.includes("code") && html`<button type="button" class="link" onClick=${mailCode}>${t("confirm.mail")}</button>`}
      </div>
    <//>
  <//>`;
}
