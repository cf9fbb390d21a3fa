// E-mail address, password, export and deletion of the account.
import { useEffect, useState } from "preact/hooks";
import { html } from "../../html.js";
import { t } from "../../i18n/i18n.js";
import { get, newKey, patch, post, request } from "../../api/client.js";
import { ifTemporary, Problem } from "../../api/problem.js";
import { leave, profile, reload, user } from "../../api/session.js";
import { ask } from "../../state/dialogs.js";
import { explain, explainField } from "../../state/problems.js";
import { go } from "../../state/router.js";
import { complain, toast } from "../../state/toasts.js";
import { Field } from "../../components/field.js";
import { Form } from "../../components/form.js";

export function Account() {
  return html`<${Email} /><${Password} /><${Export} /><${Deletion} />`;
}

function Email() {
  const own = user.value;
  const [email, setEmail] = useState(own.email || "");
  const [error, setError] = useState("");
  const save = async () => {
    setError("");
    try {
      await patch("/auth/me", { email: email.trim() });
      await reload();
      toast(t("account.email.sent"));
    } catch (problem) {
      setError(explain(problem));
    }
  };
  const resend = () => post("/auth/verify-email/resend", { email: own.email }).then(() => toast(t("account.email.resent")), complain);
  return html`<${Form} class="form section" onSubmit=${save}>
    <h2>${t("account.email")}</h2>
    ${!own.email_verified && html`<p class="notice">${t("account.email.unverified")} <button type="button" class="link" onClick=${resend}>${t("account.email.resend")}</button></p>`}
    ${own.pending_email && html`<p class="notice">${t("account.email.pending", { email: own.pending_email })}</p>`}
    <${Field} label=${t("signup.email")} type="email" autocomplete="email" required value=${email} error=${error} onInput=${(event) => setEmail(event.currentTarget.value)} />
    <div class="form-foot"><button class="button button-primary" disabled=${email.trim() === own.email}>${t("save")}</button></div>
  <//>`;
}

function Password() {
  const [fields, setFields] = useState({ password: "", new_password: "" });
  const [problem, setProblem] = useState(null);
  const save = async () => {
    setProblem(null);
    try {
      await post("/auth/password/change", fields);
      setFields({ password: "", new_password: "" });
      toast(t("account.password.changed"));
    } catch (failure) {
      setProblem(failure);
    }
  };
  const input = (name) => (event) => setFields({ ...fields, [name]: event.currentTarget.value });
  const general = problem && !problem.of("password") && !problem.of("new_password");
  return html`<${Form} class="form section" onSubmit=${save}>
    <h2>${t("account.password")}</h2>
    ${general && html`<p class="form-error" role="alert">${explain(problem)}</p>`}
    <input type="text" class="unseen" autocomplete="username" value=${profile.value.username} readonly tabindex="-1" aria-hidden="true" />
    <${Field} label=${t("account.password.old")} type="password" autocomplete="current-password" required value=${fields.password} error=${explainField(problem, "password")} onInput=${input("password")} />
    <${Field} label=${t("account.password.new")} type="password" autocomplete="new-password" minlength="8" required value=${fields.new_password} error=${explainField(problem, "new_password")} onInput=${input("new_password")} />
    <div class="form-foot"><button class="button button-primary">${t("account.password.do")}</button></div>
  <//>`;
}

const POLL_EVERY = 2_000;

/** The address of an export once it is there: until then it is asked for again, also when a request failed. */
async function exported(id, signal) {
  for (;;) {
    const found = await get(`/auth/exports/${id}`, { signal }).catch(ifTemporary);
    if (found?.url) return found.url;
    if (found?.status === "failed") throw new Problem(500, { code: "export_failed" });
    await new Promise((resolve) => setTimeout(resolve, POLL_EVERY));
  }
}

function Export() {
  const [state, setState] = useState(null);
  const [shown] = useState(() => new AbortController());
  useEffect(() => () => shown.abort(), []);
  const begin = async () => {
    setState({ waits: true });
    try {
      const made = await post("/auth/me/export", {}, { key: newKey() });
      setState({ url: await exported(made.id || made.export_id, shown.signal) });
    } catch (problem) {
      setState(null);
      complain(problem);
    }
  };
  return html`<section class="form section">
    <h2>${t("account.export")}</h2>
    <p class="hint">${t("account.export.text")}</p>
    <div class="form-foot">
      ${state?.url ? html`<a class="button button-primary" href=${state.url} download>${t("account.export.download")}</a>` : html`<button class="button" disabled=${!!state?.waits} onClick=${begin}>${t(state?.waits ? "account.export.waits" : "account.export.do")}</button>`}
    </div>
  </section>`;
}

function Deletion() {
  const [password, setPassword] = useState("");
  const [error, setError] = useState("");
  const remove = async () => {
    setError("");
    if (!(await ask({ title: t("account.delete.title"), text: t("account.delete.sure"), yes: t("account.delete"), danger: true }))) return;
    try {
      const { body } = await request("DELETE", "/auth/me", { body: password ? { password } : {} });
      await leave();
      go(body?.erasure_id ? `/erasures/${body.erasure_id}` : "/");
    } catch (problem) {
      setError(explain(problem));
    }
  };
  return html`<${Form} class="form section" onSubmit=${remove}>
    <h2>${t("account.delete")}</h2>
    <p class="hint">${t("account.delete.text")}</p>
    <${Field} label=${t("login.password")} type="password" autocomplete="current-password" value=${password} error=${error} onInput=${(event) => setPassword(event.currentTarget.value)} />
    <div class="form-foot"><button class="button button-danger">${t("account.delete")}</button></div>
  <//>`;
}
