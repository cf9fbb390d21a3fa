// Settings: their list, and the section that is chosen.
import { html } from "../../html.js";
import { t } from "../../i18n/i18n.js";
import { go, route } from "../../state/router.js";
import { leave } from "../../api/session.js";
import { Icon } from "../../components/icon.js";
import { Page } from "../../components/page.js";
import { NotFound } from "../not_found.js";
import { Account } from "./account.js";
import { Appearance, Language } from "./appearance.js";
import { Blocks, Mutes } from "./blocks.js";
import { Devices } from "./devices.js";
import { Moderation } from "./moderation.js";
import { Notifications } from "./notifications.js";
import { Privacy } from "./privacy.js";
import { ProfileSettings } from "./profile.js";
import { Security } from "./security.js";

const SECTIONS = {
  profile: [ProfileSettings, "user"],
  account: [Account, "key"],
  security: [Security, "lock"],
  privacy: [Privacy, "eyeOff"],
  notifications: [Notifications, "bell"],
  appearance: [Appearance, "palette"],
  language: [Language, "globe"],
  blocks: [Blocks, "block"],
  mutes: [Mutes, "mute"],
  moderation: [Moderation, "flag"],
  devices: [Devices, "device"],
};

export function View() {
  const { section } = route.value.params;
  if (section) {
    const [Section] = SECTIONS[section] || [];
    if (!Section) return html`<${NotFound} />`;
    return html`<${Page} key=${section} title=${t(`settings.${section}`)} withBack name="settings"><div class="settings"><${Section} /></div><//>`;
  }
  const out = async () => {
    await leave();
    go("/");
  };
  return html`<${Page} title=${t("nav.settings")} name="settings">
    <nav class="settings-list" aria-label=${t("nav.settings")}>
      ${Object.entries(SECTIONS).map(
        ([name, [, icon]]) => html`<a key=${name} class="settings-link" href="/settings/${name}">
          <${Icon} name=${icon} /><span><span class="name">${t(`settings.${name}`)}</span><span class="handle">${t(`settings.${name}.text`)}</span></span><span class="flips"><${Icon} name="right" size=${18} /></span>
        </a>`,
      )}
      <button type="button" class="settings-link" onClick=${out}><${Icon} name="logout" /><span class="name">${t("logout")}</span></button>
    </nav>
  <//>`;
}
