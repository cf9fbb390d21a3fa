// Where the account is signed in.
import { useEffect, useState } from "preact/hooks";
import { html } from "../../html.js";
import { ago, t } from "../../i18n/i18n.js";
import { del, get } from "../../api/client.js";
import { ask } from "../../state/dialogs.js";
import { complain, toast } from "../../state/toasts.js";
import { Icon } from "../../components/icon.js";
import { useReading } from "../../components/reading.js";
import { Skeleton } from "../../components/skeleton.js";
import { Failed } from "../../components/states.js";

export function Devices() {
  const [sessions, setSessions] = useState(null);
  const [problem, read] = useReading(async () => setSessions((await get("/auth/sessions")).results));
  useEffect(() => void read(), []);
  if (problem) return html`<${Failed} problem=${problem} onRetry=${read} />`;
  if (!sessions) return html`<${Skeleton} kind="person" number=${3} />`;
  const end = (id) => del(`/auth/sessions/${id}`).then(read, complain);
  const endOthers = async () => {
    if (!(await ask({ title: t("devices.others.title"), yes: t("devices.others"), danger: true }))) return;
    await del("/auth/sessions").then(() => { toast(t("devices.ended")); return read(); }, complain);
  };
  return html`<ul class="rows">
      ${sessions.map((session) => {
        return html`<li key=${session.id} class="row">
          <${Icon} name="device" />
          <span class="row-text"><span class="name">${nameOf(session.user_agent)}${session.current && html` <span class="badge">${t("devices.this")}</span>`}</span><span class="handle">${[session.address, ago(session.last_used_at || session.created_at)].filter(Boolean).join(" · ")}</span></span>
          ${!session.current && html`<button class="button" aria-label="${t("devices.end")}: ${nameOf(session.user_agent)}" onClick=${() => end(session.id)}>${t("devices.end")}</button>`}
        </li>`;
      })}
    </ul>
    ${sessions.length > 1 && html`<div class="form-foot"><button class="button button-danger" onClick=${endOthers}>${t("devices.others")}</button></div>`}`;
}

const BROWSERS = [["Edg/", "Edge"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]];
const SYSTEMS = [["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"], ["Mac OS", "macOS"], ["Linux", "Linux"]];

/** "Firefox, Linux" from a User-Agent. */
function nameOf(agent) {
  const of = (known) => known.find(([part]) => agent.includes(part))?.[1];
  return [of(BROWSERS), of(SYSTEMS)].filter(Boolean).join(", ") || agent.slice(0, 60) || t("devices.unknown");
}
