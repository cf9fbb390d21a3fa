// Who sees one's posts, and where they are shown.
import { html } from "../../html.js";
import { t } from "../../i18n/i18n.js";
import { patch } from "../../api/client.js";
import { profile } from "../../api/session.js";
import { putPerson } from "../../state/entities.js";
import { forgetLists } from "../../state/lists.js";
import { complain, toast } from "../../state/toasts.js";
import { Toggle } from "../../components/field.js";

export function Privacy() {
  const own = profile.value;
  const store = async (changes) => {
    const before = profile.value;
    profile.value = { ...before, ...changes };
    try {
      const saved = await patch("/profiles/me", changes);
      profile.value = { ...before, ...saved };
      putPerson(saved);
      forgetLists("/explore");
      toast(t("saved"));
    } catch (problem) {
      profile.value = before;
      complain(problem);
    }
  };
  return html`<div class="form">
    <${Toggle} label=${t("privacy.private")} hint=${t("privacy.private.text")} checked=${!!own.is_private} onChange=${(value) => store({ is_private: value })} />
    <${Toggle} label=${t("privacy.discoverable")} hint=${t("privacy.discoverable.text")} checked=${own.is_discoverable !== false} onChange=${(value) => store({ is_discoverable: value })} />
    <p><a href="/follow-requests">${t("requests.title")}</a></p>
  </div>`;
}
