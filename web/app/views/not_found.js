// The page for an address where nothing is.
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { Empty } from "../components/states.js";
import { Page } from "../components/page.js";

export function NotFound() {
  return html`<${Page} title=${t("not_found.title")} withBack>
    <${Empty} icon="compass" title=${t("not_found.heading")} text=${t("not_found.text")}><a class="button button-primary" href="/">${t("nav.home")}</a><//>
  <//>`;
}
