// The caller's bookmarks.
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { Page } from "../components/page.js";
import { PostList } from "../components/post_list.js";
import { Empty } from "../components/states.js";

export function View() {
  const empty = html`<${Empty} icon="bookmark" title=${t("bookmarks.empty.title")} text=${t("bookmarks.empty.text")} />`;
  return html`<${Page} title=${t("nav.bookmarks")}><${PostList} path="/bookmarks" label=${t("nav.bookmarks")} empty=${empty} /><//>`;
}
