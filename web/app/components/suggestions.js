// People to follow.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { get } from "../api/client.js";
import { people, putPerson } from "../state/entities.js";
import { PersonRow } from "./person_row.js";

/** @param {{number: number}} properties */
export function Suggestions({ number }) {
  const [ids, setIds] = useState([]);
  useEffect(() => {
    const idle = globalThis.requestIdleCallback || setTimeout;
    idle(() => get(`/profiles/suggestions?limit=${number}`).then((page) => setIds(page.results.slice(0, number).map(putPerson)), () => null));
  }, []);
  const shown = ids.filter((id) => people.of(id).value);
  if (!shown.length) return null;
  return html`<section class="card">
    <h2>${t("aside.suggestions")}</h2>
    ${shown.map((id) => html`<${PersonRow} key=${id} id=${id} />`)}
  </section>`;
}
