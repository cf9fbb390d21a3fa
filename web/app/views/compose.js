// The composer as a page of its own: what other apps share arrives here.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { draft, keepDraft } from "../state/drafts.js";
import { go, route } from "../state/router.js";
import { Composer } from "../components/composer.js";
import { Page } from "../components/page.js";

const PLACE = "new";

/** Puts what is shared below what was begun: once, also when the page is loaded again. */
function takeShared() {
  const { query } = route.peek();
  const shared = ["title", "text", "url"].map((name) => query.get(name)).filter(Boolean);
  if (!shared.length) return;
  const begun = draft(PLACE);
  keepDraft(PLACE, { ...begun, content: [begun?.content, ...shared].filter(Boolean).join("\n") });
  history.replaceState(null, "", "/compose");
}

export function View() {
  useState(takeShared); // before the composer reads the draft
  return html`<${Page} title=${t("composer.title")} withBack><div class="padded"><${Composer} place=${PLACE} focused onDone=${() => go("/", { replace: true })} /></div><//>`;
}
