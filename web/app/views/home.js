// The home feed, or what this place is for those who are not signed in.
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { signedIn } from "../api/session.js";
import { dialogs } from "../state/dialogs.js";
import { instance } from "../state/instance.js";
import { putFeedPost } from "../state/entities.js";
import { listOf } from "../state/lists.js";
import { complain } from "../state/toasts.js";
import { isWide } from "../components/aside.js";
import { Composer } from "../components/composer.js";
import { Page } from "../components/page.js";
import { PostList } from "../components/post_list.js";
import { Empty } from "../components/states.js";
import { Suggestions } from "../components/suggestions.js";

const FEED = "/feed";
const MOST_SUGGESTED = 8; // to somebody who follows nobody; wide screens have some beside the page

export function Home() {
  return signedIn.value ? html`<${Feed} />` : html`<${Welcome} />`;
}

function Feed() {
  const isOver = dialogs.value.some(({ kind }) => kind === "compose"); // what is written there is one draft with what is here
  const unseen = listOf(FEED, putFeedPost).unseen.value;
  const empty = html`<${Empty} icon="people" title=${t("home.empty.title")} text=${t("home.empty.text")}><a class="button button-primary" href="/explore">${t("nav.explore")}</a><//>
    ${!isWide() && html`<${Suggestions} number=${MOST_SUGGESTED} />`}`;
  return html`<${Page} title=${t("nav.home")} name="home">
    <div class="home-composer"><${Composer} key=${isOver} covered=${isOver} /></div>
    <${NewPosts} number=${unseen} />
    <${PostList} path=${FEED} label=${t("nav.home")} empty=${empty} isFeed />
  <//>`;
}

function NewPosts({ number }) {
  const show = async () => {
    const list = listOf(FEED, putFeedPost);
    await list.refresh();
    if (list.status.peek() === "failed") complain(list.problem.peek()); // its own message is at the end of the list
    else scrollTo({ top: 0 });
  };
  return html`<div class="pill-place" role="status">${number > 0 && html`<button class="pill" onClick=${show}>${t("home.new", { count: number })}</button>`}</div>`;
}

function Welcome() {
  const { name, description } = instance.value;
  const empty = html`<${Empty} icon="compass" title=${t("explore.empty.title")} text=${t("explore.empty.text")} />`;
  return html`<${Page} title=${t("welcome.title", { name })} name="welcome">
    <section class="hero">
      <p class="hero-text">${description || t("welcome.text")}</p>
      <p class="hero-actions"><a class="button button-primary" href="/signup">${t("signup.do")}</a><a class="button" href="/login">${t("login.do")}</a></p>
    </section>
    <h2 class="section-title">${t("explore.recent")}</h2>
    <${PostList} path="/explore?sort=recent" label=${t("explore.recent")} empty=${empty} />
  <//>`;
}
