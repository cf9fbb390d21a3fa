// Signing up, as far as the server lets people.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { newKey } from "../api/client.js";
import { enterBy, signedIn } from "../api/session.js";
import { instance, loadInstance } from "../state/instance.js";
import { explain, explainField } from "../state/problems.js";
import { go, route } from "../state/router.js";
import { toast } from "../state/toasts.js";
import { Captcha } from "../components/captcha.js";
import { Entry } from "../components/entry.js";
import { Field } from "../components/field.js";
import { Form } from "../components/form.js";
import { Providers } from "../components/providers.js";
import { Work } from "../components/work.js";

const FIELDS = ["full_name", "username", "email", "password", "invite", "application"];

export function View() {
  const [fields, setFields] = useState({ full_name: "", username: "", email: "", password: "", invite: route.value.query.get("invite") || "", application: "" });
  const [problem, setProblem] = useState(null);
  const [waits, setWaits] = useState(false);
  const [solved, setSolved] = useState("");
  const [tries, setTries] = useState(0);
  const key = useRef(newKey());
  useEffect(() => void loadInstance(), []);
  useEffect(() => {
    if (signedIn.value) go("/explore", { replace: true });
  }, [signedIn.value]);
  const { registration, rules, name, captcha } = instance.value;
  const send = async () => {
    setProblem(null);
    const body = Object.fromEntries(FIELDS.map((each) => [each, fields[each].trim()]).filter(([, value]) => value));
    body.password = fields.password;
    if (captcha) body.captcha = solved;
    try {
      if (await enterBy("/auth/register", body, { key: key.current })) toast(t("signup.done"));
      else setWaits(true);
    } catch (failure) {
      if (failure.status || captcha) key.current = newKey(); // else the answer was lost, and the next attempt gets it
      loadInstance(); // what it asks for may not be known yet
      setProblem(failure);
      setSolved(""); // each solution counts once
      setTries(tries + 1);
    }
  };
  const field = (id, more) => html`<${Field} label=${t(`signup.${id}`)} name=${id} value=${fields[id]} error=${explainField(problem, id)} onInput=${(event) => setFields({ ...fields, [id]: event.currentTarget.value })} ...${more} />`;
  const foot = html`${t("signup.known")} <a href="/login">${t("login.do")}</a>`;
  if (registration === "closed") return html`<${Entry} title=${t("signup.closed.title")} foot=${foot}><p>${t("signup.closed.text")}</p><//>`;
  if (waits) return html`<${Entry} title=${t("signup.waits.title")} foot=${foot}><p>${t("signup.waits.text")}</p><//>`;
  const general = problem && !problem.errors.some((error) => FIELDS.includes(error.field));
  return html`<${Entry} title=${t("signup.title", { name })} foot=${foot}>
    <${Form} class="form" onSubmit=${send}>
      ${general && html`<p class="form-error" role="alert">${explain(problem)}</p>`}
      ${registration === "invite" && field("invite", { required: true })}
      ${field("full_name", { autocomplete: "name", maxlength: 100 })}
      ${field("username", { autocomplete: "username", autocapitalize: "none", spellcheck: false, required: true, maxlength: 30, hint: t("signup.username.hint") })}
      ${field("email", { type: "email", autocomplete: "email", required: true })}
      ${field("password", { type: "password", autocomplete: "new-password", required: true, minlength: 8, hint: t("signup.password.hint") })}
      ${registration === "approval" && field("application", { multiline: true, rows: 3, required: true, hint: t("signup.application.hint") })}
      ${rules?.length > 0 && html`<details><summary>${t("signup.rules")}</summary><ol class="rules">${rules.map((rule) => html`<li>${rule}</li>`)}</ol></details>`}
      ${captcha && html`<${captcha.provider === "proof_of_work" ? Work : Captcha} key=${tries} onSolved=${setSolved} />`}
      <button class="button button-primary button-wide" disabled=${captcha && !solved}>${t("signup.do")}</button>
    <//>
    <${Providers} />
  <//>`;
}
