// Public posts of everybody, and of one hashtag.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { trending } from "../state/hashtags.js";
import { route } from "../state/router.js";
import { Page } from "../components/page.js";
import { PostList } from "../components/post_list.js";
import { SearchBox } from "../components/search_box.js";
import { Empty } from "../components/states.js";
import { Tabs } from "../components/tabs.js";

export function Explore() {
  if (route.value.name === "hashtag") return html`<${Hashtag} key=${route.value.params.tag} tag=${route.value.params.tag} />`;
  const sort = route.value.query.get("sort") === "recent" ? "recent" : "trending";
  const tabs = [
    ["/explore", t("explore.trending")],
    ["/explore?sort=recent", t("explore.recent")],
  ];
  const empty = html`<${Empty} icon="compass" title=${t("explore.empty.title")} text=${t("explore.empty.text")} />`;
  return html`<${Page} title=${t("nav.explore")} name="explore">
    <div class="narrow-only padded"><${SearchBox} /></div>
    <${Tabs} label=${t("nav.explore")} tabs=${tabs} current=${sort === "recent" ? "/explore?sort=recent" : "/explore"} />
    <${TrendingTags} />
    <${PostList} path="/explore?sort=${sort}" label=${t("nav.explore")} empty=${empty} />
  <//>`;
}

/** On narrow screens: wide ones have them beside the page. The row has its height before it has its tags. */
function TrendingTags() {
  const [tags, setTags] = useState(null);
  useEffect(() => {
    trending(8).then(setTags, () => setTags([]));
  }, []);
  if (tags?.length === 0) return null;
  return html`<div class="chips chips-row narrow-only padded">${(tags || []).map((tag) => html`<a key=${tag.name} class="chip" href="/hashtags/${encodeURIComponent(tag.name)}">#${tag.name}</a>`)}</div>`;
}

function Hashtag({ tag }) {
  const empty = html`<${Empty} icon="hash" title=${t("hashtag.empty", { tag })} />`;
  return html`<${Page} title="#${tag}" withBack>
    <${PostList} path="/hashtags/${encodeURIComponent(tag.toLowerCase())}/posts" label="#${tag}" empty=${empty} />
  <//>`;
}
