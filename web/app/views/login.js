// Logging in: password, second factor or recovery code, passkey, another account.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { endedBecause, enterBy, signedIn } from "../api/session.js";
import { canBeConditional, login as byPasskey, supported } from "../api/passkeys.js";
import { explain } from "../state/problems.js";
import { goOn, route } from "../state/router.js";
import { Entry } from "../components/entry.js";
import { Field } from "../components/field.js";
import { Form } from "../components/form.js";
import { Icon } from "../components/icon.js";
import { Providers } from "../components/providers.js";

export function View() {
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [otp, setOtp] = useState("");
  const [asksOtp, setAsksOtp] = useState(false);
  const [recovery, setRecovery] = useState(false);
  const [error, setError] = useState("");
  useConditionalPasskey();
  useEffect(() => {
    if (signedIn.value && route.peek().path === "/login") goOn();
  }, [signedIn.value]);
  const send = async () => {
    setError("");
    try {
      await enterBy("/auth/login", { login: login.trim(), password, ...(asksOtp ? { otp: otp.trim() } : {}) });
    } catch (problem) {
      if (problem.code === "otp_required") setAsksOtp(true);
      else setError(explain(problem));
    }
  };
  const passkey = async () => {
    try {
      await byPasskey();
    } catch (problem) {
      if (problem.name !== "NotAllowedError") setError(explain(problem));
    }
  };
  const why = endedBecause.value ? t("session.ended") : route.value.name !== "login" && t("login.needed");
  const foot = html`${t("login.new")} <a href="/signup">${t("signup.do")}</a>`;
  return html`<${Entry} title=${t("login.title")} foot=${foot}>
    ${why && html`<p class="entry-why" role="status">${why}</p>`}
    <${Form} class="form" onSubmit=${send}>
      ${error && html`<p class="form-error" role="alert">${error}</p>`}
      ${asksOtp
        ? html`
            <p>${t(recovery ? "login.recovery.text" : "login.otp.text")}</p>
            <${Field} key=${recovery} label=${t(recovery ? "login.recovery" : "login.otp")} value=${otp} inputmode=${recovery ? "text" : "numeric"} autocomplete="one-time-code" autofocus required onInput=${(event) => setOtp(event.currentTarget.value)} />
            <button type="button" class="link" onClick=${() => setRecovery(!recovery)}>${t(recovery ? "login.otp.use" : "login.recovery.use")}</button>`
        : html`
            <${Field} label=${t("login.login")} name="login" value=${login} autocomplete="username webauthn" autocapitalize="none" spellcheck=${false} required onInput=${(event) => setLogin(event.currentTarget.value)} />
            <${Field} label=${t("login.password")} name="password" type="password" value=${password} autocomplete="current-password" required onInput=${(event) => setPassword(event.currentTarget.value)} />
            <a class="form-link" href="/forgot">${t("login.forgot")}</a>`}
      <button class="button button-primary button-wide">${t("login.do")}</button>
    <//>
    ${!asksOtp && supported() && html`<button type="button" class="button button-wide" onClick=${passkey}><${Icon} name="key" size=${18} /> ${t("login.passkey")}</button>`}
    ${!asksOtp && html`<${Providers} />`}
  <//>`;
}

/** Passkeys appear among the suggestions of the user name's field. */
function useConditionalPasskey() {
  useEffect(() => {
    const abort = new AbortController();
    canBeConditional().then((can) => can && byPasskey({ conditional: true, signal: abort.signal }).catch(() => null));
    return () => abort.abort();
  }, []);
}
