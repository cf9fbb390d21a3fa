// What stands beside the page on wide screens: search, trending hashtags, people to follow.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { get } from "../api/client.js";
import { signedIn } from "../api/session.js";
import { people, putPerson } from "../state/entities.js";
import { trending } from "../state/hashtags.js";
import { instance } from "../state/instance.js";
import { route } from "../state/router.js";
import { PersonRow } from "./person_row.js";
import { SearchBox } from "./search_box.js";

const SHOWN = 4;
const WIDE = "(width >= 75rem)"; // as in layout.css

/** Narrower screens have no place for it, and do not ask for what is in it. */
export function Aside() {
  const [tags, setTags] = useState([]);
  const [ids, setIds] = useState([]);
  useEffect(() => {
    if (!matchMedia(WIDE).matches) return;
    const idle = globalThis.requestIdleCallback || setTimeout;
    idle(() => {
      trending(5).then(setTags, () => null);
      if (signedIn.value) {
        get(`/profiles/suggestions?limit=${SHOWN}`).then((page) => setIds(page.results.slice(0, SHOWN).map(putPerson)), () => null);
      }
    });
  }, [signedIn.value]);
  const suggested = ids.filter((id) => people.of(id).value);
  return html`<aside class="aside" aria-label=${t("aside.label")}>
    ${route.value.name !== "search" && html`<${SearchBox} />`}
    ${tags.length > 0 &&
    html`<section class="card">
      <h2>${t("aside.trending")}</h2>
      <ul class="tags">
        ${tags.map((tag) => html`<li key=${tag.name}><a href="/hashtags/${encodeURIComponent(tag.name)}"><span class="name" dir="auto">#${tag.name}</span><span class="handle">${t("posts.count", { count: tag.posts_count })}</span></a></li>`)}
      </ul>
    </section>`}
    ${suggested.length > 0 &&
    html`<section class="card">
      <h2>${t("aside.suggestions")}</h2>
      ${suggested.map((id) => html`<${PersonRow} key=${id} id=${id} />`)}
    </section>`}
    <footer class="aside-foot">
      <a href="/about">${t("aside.about", { name: instance.value.name })}</a> · <a href="/v1/docs">${t("aside.api")}</a> · <span>${t("aside.free")}</span>
    </footer>
  </aside>`;
}
