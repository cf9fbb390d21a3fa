// A list of people from a path of the API.
import { html } from "../html.js";
import { putPerson } from "../state/entities.js";
import { listOf } from "../state/lists.js";
import { Infinite } from "./infinite.js";
import { PersonRow } from "./person_row.js";

export function PeopleList({ path, empty, label, actions = null }) {
  const list = listOf(path, putPerson);
  return html`<${Infinite} key=${path} list=${list} label=${label} empty=${empty} skeleton="person" row=${(id) => html`<${PersonRow} key=${id} id=${id} actions=${actions?.(id, list)} />`} />`;
}
