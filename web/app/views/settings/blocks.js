// People who are blocked or muted.
import { html } from "../../html.js";
import { t } from "../../i18n/i18n.js";
import { del } from "../../api/client.js";
import { people } from "../../state/entities.js";
import { forgetLists } from "../../state/lists.js";
import { complain } from "../../state/toasts.js";
import { PeopleList } from "../../components/people_list.js";
import { Empty } from "../../components/states.js";

function Listed({ verb, icon }) {
  const undo = async (id, list) => {
    try {
      people.change(id, { relationship: await del(`/profiles/${id}/${verb}`) });
      list.drop(id);
      forgetLists("/feed"); // what they wrote is there again
    } catch (problem) {
      complain(problem);
    }
  };
  const actions = (id, list) => html`<button class="button" aria-label="${t(`${verb}s.undo`)}: @${people.of(id).value.username}" onClick=${() => undo(id, list)}>${t(`${verb}s.undo`)}</button>`;
  return html`<p class="hint">${t(`${verb}s.text`)}</p><${PeopleList} path="/${verb}s" label=${t(`settings.${verb}s`)} actions=${actions} empty=${html`<${Empty} icon=${icon} title=${t(`${verb}s.empty`)} />`} />`;
}

export const Blocks = () => html`<${Listed} verb="block" icon="block" />`;
export const Mutes = () => html`<${Listed} verb="mute" icon="mute" />`;
