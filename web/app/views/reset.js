// Setting a new password with the key from a mail.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { post } from "../api/client.js";
import { explain } from "../state/problems.js";
import { go, route } from "../state/router.js";
import { toast } from "../state/toasts.js";
import { Entry } from "../components/entry.js";
import { Field } from "../components/field.js";
import { Form } from "../components/form.js";

export function View() {
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState(null);
  const key = route.value.query.get("key") || "";
  const send = async () => {
    setProblem(null);
    try {
      await post("/auth/password/reset", { key, password }, { anonymous: true });
      toast(t("reset.done"));
      go("/login", { replace: true });
    } catch (failure) {
      setProblem(failure);
    }
  };
  const isOld = problem?.of("key");
  return html`<${Entry} title=${t("reset.title")} foot=${html`<a href="/login">${t("forgot.back")}</a>`}>
    <${Form} class="form" onSubmit=${send}>
      ${isOld && html`<p class="form-error" role="alert">${t("link.old")} <a href="/forgot">${t("link.again")}</a></p>`}
      <p>${t("reset.text")}</p>
      <${Field} label=${t("signup.password")} type="password" autocomplete="new-password" minlength="8" required hint=${t("signup.password.hint")} error=${problem && !isOld ? explain(problem) : ""} value=${password} onInput=${(event) => setPassword(event.currentTarget.value)} />
      <button class="button button-primary button-wide">${t("reset.do")}</button>
    <//>
  <//>`;
}
