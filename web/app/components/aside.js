// What stands beside the page on wide screens: search, trending hashtags, people to follow.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { signedIn } from "../api/session.js";
import { trending } from "../state/hashtags.js";
import { instance } from "../state/instance.js";
import { route } from "../state/router.js";
import { SearchBox } from "./search_box.js";
import { Suggestions } from "./suggestions.js";

const SHOWN = 4;
const WIDE = "(width >= 75rem)"; // as in layout.css

export const isWide = () => matchMedia(WIDE).matches;

/** Narrower screens have no place for it, and do not ask for what is in it. */
export function Aside() {
  const [tags, setTags] = useState([]);
  useEffect(() => {
    if (!isWide()) return;
    const idle = globalThis.requestIdleCallback || setTimeout;
    idle(() => trending(5).then(setTags, () => null));
  }, []);
  return html`<aside class="aside" aria-label=${t("aside.label")}>
    ${route.value.name !== "search" && html`<${SearchBox} />`}
    ${tags.length > 0 &&
    html`<section class="card">
      <h2>${t("aside.trending")}</h2>
      <ul class="tags">
        ${tags.map((tag) => html`<li key=${tag.name}><a href="/hashtags/${encodeURIComponent(tag.name)}"><span class="name" dir="auto">#${tag.name}</span><span class="handle">${t("posts.count", { count: tag.posts_count })}</span></a></li>`)}
      </ul>
    </section>`}
    ${isWide() && signedIn.value && html`<${Suggestions} number=${SHOWN} />`}
    <footer class="aside-foot">
      <a href="/about">${t("aside.about", { name: instance.value.name })}</a> · <a href="/v1/docs">${t("aside.api")}</a> · <span>${t("aside.free")}</span>
    </footer>
  </aside>`;
}
