// Second factor, passkeys and linked accounts.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../../html.js";
import { ago, t } from "../../i18n/i18n.js";
import { del, get, post } from "../../api/client.js";
import { create, supported } from "../../api/passkeys.js";
import { ask } from "../../state/dialogs.js";
import { instance, loadInstance } from "../../state/instance.js";
import { explain } from "../../state/problems.js";
import { complain, toast } from "../../state/toasts.js";
import { Field } from "../../components/field.js";
import { Form } from "../../components/form.js";
import { Icon } from "../../components/icon.js";
import { nameOf, visit } from "../../components/providers.js";
import { QrCode } from "../../components/qr_code.js";
import { useReading } from "../../components/reading.js";
import { Failed } from "../../components/states.js";

export function Security() {
  return html`<${Totp} />${supported() && html`<${Passkeys} />`}<${Linked} />`;
}

function Totp() {
  const [enabled, setEnabled] = useState(null);
  const [secret, setSecret] = useState(null);
  const [codes, setCodes] = useState(null);
  const [code, setCode] = useState("");
  const [error, setError] = useState("");
  const [problem, read] = useReading(async () => setEnabled((await get("/auth/totp")).enabled));
  useEffect(() => void read(), []);
  const begin = () => post("/auth/totp").then(setSecret, complain);
  const confirm = async () => {
    setError("");
    try {
      const answer = await post("/auth/totp/confirm", { code: code.trim() });
      setCodes(answer.recovery_codes || answer.codes);
      setSecret(null);
      setCode("");
      setEnabled(true);
    } catch (problem) {
      setError(explain(problem));
    }
  };
  const turnOff = async () => {
    setError("");
    try {
      await del("/auth/totp", { body: { code: code.trim() } });
      setCode("");
      setCodes(null);
      setEnabled(false);
      toast(t("totp.off.done"));
    } catch (problem) {
      setError(explain(problem));
    }
  };
  return html`<section class="form section">
    <h2>${t("totp.title")}</h2>
    <p class="hint">${t("totp.text")}</p>
    ${problem && html`<${Failed} problem=${problem} onRetry=${read} />`}
    ${codes && html`<${Codes} codes=${codes} />`}
    ${enabled && html`<p class="on-good row"><${Icon} name="check" size=${18} /> ${t("totp.is_on")}</p><${TurnOff} code=${code} setCode=${setCode} error=${error} onSubmit=${turnOff} />`}
    ${enabled === false && !secret && html`<div class="form-foot"><button class="button button-primary" onClick=${begin}>${t("totp.on")}</button></div>`}
    ${secret &&
    html`<${Form} class="form" onSubmit=${confirm}>
      <${QrCode} text=${secret.otpauth_url} />
      <p>${t("totp.secret")} <code class="secret">${secret.secret}</code></p>
      <${Field} label=${t("login.otp")} inputmode="numeric" autocomplete="one-time-code" autofocus required value=${code} error=${error} onInput=${(event) => setCode(event.currentTarget.value)} />
      <div class="form-foot"><button class="button button-primary">${t("totp.confirm")}</button></div>
    <//>`}
  </section>`;
}

/** Shown once: the focus goes to them, so that nobody misses them. */
function Codes({ codes }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const list = useRef(null);
  const text = codes.join("\n");
  useEffect(() => box.current?.focus(), []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast(t("totp.codes.copied"));
    } catch {
      getSelection().selectAllChildren(list.current);
      toast(t("copy.refused"), { kind: "bad" });
    }
  };
  return html`<div ref=${box} class="notice" tabindex="-1"><div>
    <p>${t("totp.codes")}</p>
    <ul ref=${list} class="codes">${codes.map((each) => html`<li key=${each}><code>${each}</code></li>`)}</ul>
    <div class="form-foot">
      <button class="button" onClick=${copy}>${t("totp.codes.copy")}</button>
      <a class="button" download="${location.hostname}-recovery-codes.txt" href="data:text/plain,${encodeURIComponent(`${text}\n`)}">${t("totp.codes.download")}</a>
    </div>
  </div></div>`;
}

function TurnOff({ code, setCode, error, onSubmit }) {
  const [asks, setAsks] = useState(false);
  if (!asks) return html`<div class="form-foot"><button class="button" onClick=${() => setAsks(true)}>${t("totp.off")}</button></div>`;
  return html`<${Form} class="form" onSubmit=${onSubmit}>
    <${Field} label=${t("login.otp")} inputmode="numeric" autocomplete="one-time-code" autofocus required value=${code} error=${error} onInput=${(event) => setCode(event.currentTarget.value)} />
    <div class="form-foot"><button type="button" class="button" onClick=${() => setAsks(false)}>${t("cancel")}</button><button class="button button-danger" disabled=${!code}>${t("totp.off")}</button></div>
  <//>`;
}

function Passkeys() {
  const [known, setKnown] = useState(null);
  const [name, setName] = useState("");
  const [problem, read] = useReading(async () => {
    const page = await get("/auth/passkeys");
    setKnown(page.results || page);
  });
  useEffect(() => void read(), []);
  if (problem?.temporary) return html`<${Failed} problem=${problem} onRetry=${read} />`;
  if (known === null) return null;
  const add = async () => {
    try {
      await create(name.trim() || t("passkeys.name.default"));
      setName("");
      toast(t("passkeys.added"));
      await read();
    } catch (problem) {
      if (problem.name === "InvalidStateError") toast(t("passkeys.exists"), { kind: "bad" });
      else if (problem.name !== "NotAllowedError") complain(problem);
    }
  };
  const remove = async ({ id, name: called }) => {
    if (!(await ask({ title: t("passkeys.delete.title", { name: called }), text: t("passkeys.delete.text"), yes: t("delete"), danger: true }))) return;
    await del(`/auth/passkeys/${id}`).then(read, complain);
  };
  return html`<section class="form section">
    <h2>${t("passkeys.title")}</h2>
    <p class="hint">${t("passkeys.text")}</p>
    <ul class="rows">${known.map((key) => html`<li key=${key.id} class="row"><${Icon} name="key" /><span class="row-text"><span class="name">${key.name}</span><span class="handle">${key.last_used_at ? ago(key.last_used_at) : t("passkeys.unused")}</span></span><button class="button" aria-label="${t("delete")}: ${key.name}" onClick=${() => remove(key)}>${t("delete")}</button></li>`)}</ul>
    <${Form} class="form" onSubmit=${add}>
      <${Field} label=${t("passkeys.name")} maxlength="50" value=${name} onInput=${(event) => setName(event.currentTarget.value)} />
      <div class="form-foot"><button class="button button-primary">${t("passkeys.add")}</button></div>
    <//>
  </section>`;
}

function Linked() {
  const [linked, setLinked] = useState(null);
  const [problem, read] = useReading(async () => {
    const page = await get("/auth/social");
    setLinked((page.results || page).map((each) => each.provider || each));
  });
  useEffect(() => {
    loadInstance();
    read();
  }, []);
  const known = instance.value.providers;
  if (!known.length) return null;
  if (problem) return html`<${Failed} problem=${problem} onRetry=${read} />`;
  if (!linked) return null;
  const unlink = (provider) => del(`/auth/social/${provider}`).then(read, complain);
  return html`<section class="form section">
    <h2>${t("linked.title")}</h2>
    <ul class="rows">${known.map((each) => html`<li key=${each} class="row"><${Icon} name="link" /><span class="row-text name">${nameOf(each)}</span>${linked.includes(each) ? html`<button class="button" aria-label="${t("linked.undo")}: ${nameOf(each)}" onClick=${() => unlink(each)}>${t("linked.undo")}</button>` : html`<button class="button" aria-label="${t("linked.do")}: ${nameOf(each)}" onClick=${() => visit(each, "link")}>${t("linked.do")}</button>`}</li>`)}</ul>
  </section>`;
}
