// Who reacted to a post or comment.
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { useState } from "preact/hooks";
import { people, putPerson } from "../state/entities.js";
import { listOf } from "../state/lists.js";
import { REACTIONS } from "../state/posts.js";
import { Infinite } from "./infinite.js";
import { Modal } from "./modal.js";
import { PersonRow } from "./person_row.js";
import { FACES } from "./reaction_button.js";
import { Empty } from "./states.js";

/** The reaction of each person, by the path of the list and the id. */
const kinds = new Map();

export function Dialog({ target, id, close }) {
  const [type, setType] = useState("");
  const path = `/${target}s/${id}/reactions${type ? `?type=${type}` : ""}`;
  const list = listOf(path, (entry) => put(entry, path));
  return html`<${Modal} title=${t("post.reactions")} onClose=${close}>
    <div class="chips">
      ${["", ...REACTIONS].map((each) => html`<button type="button" key=${each} class="chip" aria-pressed=${type === each} aria-label=${each ? t(`reaction.${each}`) : undefined} onClick=${() => setType(each)}>${each ? FACES[each] : t("all")}</button>`)}
    </div>
    <${Infinite} key=${path} list=${list} label=${t("post.reactions")} skeleton="person" empty=${html`<${Empty} icon="heart" title=${t("reactions.empty")} />`} row=${(who) => html`<${PersonRow} key=${who} id=${who} note=${FACES[kinds.get(path + who)] || ""} actions=${people.of(who).value?.relationship ? null : html`<span></span>`} />`} />
  <//>`;
}

/** The profile card is in the entry itself or in a field of it. */
function put(entry, path) {
  const person = entry.profile || entry.user || entry.author || entry;
  kinds.set(path + person.id, entry.reaction_type);
  return putPerson({ id: person.id, username: person.username, full_name: person.full_name, profile_picture: person.profile_picture });
}
