// The composer as a page of its own: what other apps share arrives here.
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { go, route } from "../state/router.js";
import { Composer } from "../components/composer.js";
import { Page } from "../components/page.js";

export function View() {
  const { query } = route.value;
  const shared = ["title", "text", "url"].map((name) => query.get(name)).filter(Boolean).join("\n");
  return html`<${Page} title=${t("composer.title")} withBack><div class="padded"><${Composer} focused start=${shared} onDone=${() => go("/", { replace: true })} /></div><//>`;
}
