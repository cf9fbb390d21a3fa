// Search results: people, posts and hashtags, with help for operators.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { query } from "../api/client.js";
import { putPerson, putPost } from "../state/entities.js";
import { listOf } from "../state/lists.js";
import { route } from "../state/router.js";
import { Icon } from "../components/icon.js";
import { Infinite } from "../components/infinite.js";
import { Page } from "../components/page.js";
import { PersonRow } from "../components/person_row.js";
import { PostCard } from "../components/post_card.js";
import { SearchBox } from "../components/search_box.js";
import { Empty } from "../components/states.js";
import { Tabs } from "../components/tabs.js";

const TYPES = ["posts", "users", "hashtags"];
const OPERATORS = ["from:ada", "#tag", '"a phrase"', "-word", "has:media", "after:2026-01-31", "before:2026-12-31"];

export function View() {
  const text = route.value.query.get("q") || "";
  const asked = route.value.query.get("type");
  const type = TYPES.includes(asked) ? asked : "posts";
  const tabs = TYPES.map((each) => [`/search${query({ q: text, type: each })}`, t(`search.${each}`)]);
  return html`<${Page} title=${text ? t("search.title", { text }) : t("nav.search")} name="search">
    <div class="padded"><${SearchBox} focused=${!text} /></div>
    ${text ? html`<${Tabs} label=${t("nav.search")} tabs=${tabs} current=${`/search${query({ q: text, type })}`} /><${Results} text=${text} type=${type} />` : html`<${Help} open />`}
  <//>`;
}

function Results({ text, type }) {
  const list = listOf(`/search${query({ q: text, type })}`, ({ item }) => put(type, item));
  const empty = html`<${Empty} icon="search" title=${t("search.empty", { text })} text=${t("search.empty.text")} />`;
  const meant = list.status.value === "ready" && list.answer?.did_you_mean;
  return html`${meant && html`<p class="notice" role="status">${t("search.corrected", { text, meant })}</p>`}<${Infinite} key=${list.path} list=${list} label=${t(`search.${type}`)} empty=${empty} skeleton=${type === "posts" ? "post" : "person"} row=${(id) => row(type, id)} /><${Help} />`;
}

function put(type, item) {
  if (type === "posts") return putPost(item);
  return type === "users" ? putPerson(item) : `${item.name} ${item.posts_count}`;
}

function row(type, id) {
  if (type === "posts") return html`<${PostCard} key=${id} id=${id} />`;
  if (type === "users") return html`<${PersonRow} key=${id} id=${id} />`;
  const [name, number] = id.split(" ");
  return html`<a key=${name} class="tag-row" href="/hashtags/${encodeURIComponent(name)}"><${Icon} name="hash" /><span><span class="name" dir="auto">#${name}</span><span class="handle">${t("posts.count", { count: Number(number) })}</span></span></a>`;
}

function Help({ open = false }) {
  const [shown, setShown] = useState(open);
  return html`<section class="search-help">
    <button type="button" class="link" aria-expanded=${shown} onClick=${() => setShown(!shown)}>${t("search.help")}</button>
    ${shown && html`<dl>${OPERATORS.map((operator, index) => html`<div key=${operator}><dt><code>${operator}</code></dt><dd>${t(`search.help.${index}`)}</dd></div>`)}</dl>`}
  </section>`;
}
