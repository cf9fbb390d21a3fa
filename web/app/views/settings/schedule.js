// When one is not to be disturbed, and the language of mails and pushes.
import { useEffect, useState } from "preact/hooks";
import { html } from "../../html.js";
import { LANGUAGES, t } from "../../i18n/i18n.js";
import { get, patch } from "../../api/client.js";
import { complain } from "../../state/toasts.js";
import { Field, Toggle } from "../../components/field.js";
import { useReading } from "../../components/reading.js";
import { Failed } from "../../components/states.js";

const NIGHT = { from: "22:00", to: "07:00" };
const MAILED_IN = ["de", "en", "es", "fr"];

export function Schedule() {
  const [found, setFound] = useState(null);
  const [problem, read] = useReading(async () => setFound(await get("/notifications/schedule")));
  useEffect(() => void read(), []);
  if (problem?.temporary) return html`<${Failed} problem=${problem} onRetry=${read} />`;
  if (!found) return null;
  const store = async (changes) => {
    setFound({ ...found, ...changes });
    await patch("/notifications/schedule", changes).then(setFound, (problem) => {
      setFound(found);
      complain(problem);
    });
  };
  const quiet = found.quiet_hours;
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const time = (name) => html`<${Field} label=${t(`schedule.${name}`)} type="time" required value=${quiet[name].slice(0, 5)} onChange=${(event) => event.currentTarget.value && store({ time_zone: here, quiet_hours: { ...quiet, [name]: event.currentTarget.value } })} />`;
  return html`
    <${Toggle} label=${t("schedule.quiet")} hint=${t("schedule.quiet.text")} checked=${!!quiet} onChange=${(on) => store({ time_zone: here, quiet_hours: on ? NIGHT : null })} />
    ${quiet && html`<div class="pair">${time("from")}${time("to")}</div>`}
    <label class="select">${t("schedule.language")} <select value=${found.language || ""} onChange=${(event) => store({ language: event.currentTarget.value || null })}>
      <option value="">${t("schedule.language.own")}</option>
      ${MAILED_IN.map((each) => html`<option key=${each} value=${each}>${LANGUAGES[each]}</option>`)}
    </select></label>`;
}
