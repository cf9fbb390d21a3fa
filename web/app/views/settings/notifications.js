// Which notifications one gets, and how.
import { useEffect, useState } from "preact/hooks";
import { html } from "../../html.js";
import { t } from "../../i18n/i18n.js";
import { get, patch } from "../../api/client.js";
import { push, pushState, subscribe, unsubscribe } from "../../state/worker.js";
import { complain } from "../../state/toasts.js";
import { Choice, Toggle } from "../../components/field.js";
import { useReading } from "../../components/reading.js";
import { Skeleton } from "../../components/skeleton.js";
import { Failed } from "../../components/states.js";
import { Schedule } from "./schedule.js";

const WAYS = ["in_app", "push", "email"];
const DIGESTS = ["off", "daily", "weekly"];

export function Notifications() {
  const [found, setFound] = useState(null);
  const [problem, read] = useReading(async () => setFound(await get("/notifications/preferences")));
  const [turning, setTurning] = useState(null);
  useEffect(() => {
    read();
    pushState();
  }, []);
  /** The browser may refuse: then the switch goes back. */
  const turn = async (on) => {
    setTurning(on);
    await (on ? subscribe() : unsubscribe()).catch(complain);
    setTurning(null);
  };
  if (problem) return html`<${Failed} problem=${problem} onRetry=${read} />`;
  if (!found) return html`<${Skeleton} kind="person" number=${6} />`;
  const store = async (changes) => {
    setFound({ ...found, ...changes });
    await patch("/notifications/preferences", changes).then((saved) => saved && setFound(saved), (failure) => {
      setFound(found);
      complain(failure);
    });
  };
  const kinds = Object.keys(found).filter((kind) => typeof found[kind] === "object" && found[kind]);
  return html`<div class="form">
    ${["on", "off"].includes(push.value) && html`<${Toggle} label=${t("push.device")} hint=${t("push.device.text")} checked=${turning ?? push.value === "on"} disabled=${turning !== null} onChange=${turn} />`}
    ${push.value === "denied" && html`<p class="notice">${t("push.denied")}</p>`}
    <div class="table-box" tabindex="0" role="region" aria-label=${t("settings.notifications")}>
      <table class="preferences">
        <thead><tr><th>${t("preferences.kind")}</th>${WAYS.map((way) => html`<th key=${way} scope="col">${t(`preferences.${way}`)}</th>`)}</tr></thead>
        <tbody>
          ${kinds.map(
            (kind) => html`<tr key=${kind}>
              <th scope="row">${t(`preferences.${kind}`)}</th>
              ${WAYS.map((way) => html`<td key=${way}>${found[kind][way] !== undefined && html`<input type="checkbox" aria-label="${t(`preferences.${kind}`)}: ${t(`preferences.${way}`)}" checked=${found[kind][way]} disabled=${kind === "moderation"} onChange=${(event) => store({ [kind]: { ...found[kind], [way]: event.currentTarget.checked } })} />`}</td>`)}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${found.digest !== undefined && html`<${Choice} label=${t("preferences.digest")} value=${found.digest} onChange=${(digest) => store({ digest })} options=${DIGESTS.map((each) => [each, t(`preferences.digest.${each}`)])} />`}
    <${Schedule} />
  </div>`;
}
