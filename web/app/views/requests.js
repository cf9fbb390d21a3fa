// People who ask to follow a private profile.
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { people } from "../state/entities.js";
import { answerRequest } from "../state/people.js";
import { complain } from "../state/toasts.js";
import { Page } from "../components/page.js";
import { PeopleList } from "../components/people_list.js";
import { Empty } from "../components/states.js";

export function View() {
  const answer = async (id, list, accept) => {
    await answerRequest(id, accept).then(() => list.drop(id), complain);
  };
  const actions = (id, list) => html`<span class="row-actions">
    <button class="button button-primary" aria-label="${t("requests.accept")}: @${people.of(id).value.username}" onClick=${() => answer(id, list, true)}>${t("requests.accept")}</button>
    <button class="button" aria-label="${t("requests.reject")}: @${people.of(id).value.username}" onClick=${() => answer(id, list, false)}>${t("requests.reject")}</button>
  </span>`;
  return html`<${Page} title=${t("requests.title")} withBack>
    <${PeopleList} path="/follow-requests" label=${t("requests.title")} actions=${actions} empty=${html`<${Empty} icon="people" title=${t("requests.empty")} />`} />
  <//>`;
}
