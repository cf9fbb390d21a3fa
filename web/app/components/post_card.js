// A post in a list, or large on its own page.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { moment, t } from "../i18n/i18n.js";
import { posts } from "../state/entities.js";
import { seen } from "../state/live.js";
import { loadPost } from "../state/posts.js";
import { go } from "../state/router.js";
import { whileVisible } from "../state/visible.js";
import { Avatar } from "./avatar.js";
import { Icon } from "./icon.js";
import { LinkPreview } from "./link_preview.js";
import { MediaGrid } from "./media_grid.js";
import { PostActions } from "./post_actions.js";
import { PostMenu } from "./post_menu.js";
import { RichText } from "./rich_text.js";
import { Time } from "./time.js";
import { Withheld } from "./withheld.js";

const LONG = 600;
const CONTROLS = "a, button, summary, video, [role=menu], input";

/** `withReposter`: says who reposted it, where that is why it is there. */
export function PostCard({ id, large = false, withReposter = false }) {
  const element = useRef(null);
  const post = posts.of(id).value;
  useEffect(() => {
    if (element.current) return whileVisible(element.current, (isVisible) => seen(id, isVisible));
    return undefined;
  }, [id, !post]);
  if (!post) return null;
  const author = post.author;
  const opened = (event) => {
    // The path as it was: by now what was clicked may be gone from the page, such as the heart of a reaction.
    const path = event.composedPath();
    const isOnControl = path.slice(0, path.indexOf(event.currentTarget)).some((each) => each instanceof Element && each.matches(CONTROLS));
    if (large || isOnControl || getSelection().toString()) return;
    if (event.ctrlKey || event.metaKey) globalThis.open(`/posts/${id}`);
    else go(`/posts/${id}`);
  };
  const name = author.full_name || author.username;
  const isTall = post.media?.length || post.link_preview || post.content.length > LONG / 3;
  return html`<article ref=${element} class="post ${large ? "post-large" : ""} ${isTall ? "post-tall" : ""}" data-post=${id} tabindex="-1" aria-label=${t("post.by", { name })} onClick=${opened}>
    ${withReposter && post.reposted_by && html`<p class="post-reason"><${Icon} name="repost" size=${16} /><a href="/@${post.reposted_by.username}" dir="auto">${t("post.reposted_by", { name: post.reposted_by.full_name || post.reposted_by.username })}</a></p>`}
    <a class="post-avatar" href="/@${author.username}" tabindex="-1" aria-hidden="true"><${Avatar} person=${author} /></a>
    <header class="post-head">
      <a class="post-author" href="/@${author.username}"><span class="name" dir="auto">${name}</span> <span class="handle"><bdi dir="ltr">@${author.username}</bdi></span></a>
      ${!large && html`<a class="post-time" href="/posts/${id}"><${Time} at=${post.created_at} /></a>`}
      ${post.is_private && html`<span class="post-private" title=${t("post.private")}><${Icon} name="lock" size=${15} /><span class="unseen">${t("post.private")}</span></span>`}
      <${PostMenu} post=${post} />
    </header>
    <div class="post-body">
      <${Withheld} as=${post.withheld} />
      <${Body} post=${post} large=${large} />
      ${large && html`<p class="post-when"><time datetime=${post.created_at}>${moment(post.created_at)}</time>${post.edited && html` · ${t("post.edited")}`}</p>`}
      <${PostActions} post=${post} />
    </div>
  </article>`;
}

/** @param {{post: import("#api").Post, large: boolean}} properties */
function Body({ post, large }) {
  const [shown, setShown] = useState(!post.content_warning);
  const [whole, setWhole] = useState(large || post.content.length <= LONG);
  if (!shown) {
    return html`<div class="warning">
      <p><${Icon} name="warning" size=${18} /> <span dir="auto">${post.content_warning}</span></p>
      <button type="button" class="button button-quiet" aria-expanded="false" onClick=${() => setShown(true)}>${t("post.show")}</button>
    </div>`;
  }
  return html`
    ${post.content_warning && html`<p class="warning-open" dir="auto"><${Icon} name="warning" size=${16} /> ${post.content_warning} <button type="button" class="link" aria-expanded="true" onClick=${() => setShown(false)}>${t("post.hide")}</button></p>`}
    <div class="post-text ${whole ? "" : "post-cut"}"><${RichText} text=${post.content} mentions=${post.mentions} /></div>
    ${!whole && html`<button type="button" class="link" onClick=${() => setWhole(true)}>${t("post.whole")}</button>`}
    ${post.edited && !large && html`<p class="post-edited">${t("post.edited")}</p>`}
    ${post.media?.length > 0 && html`<${MediaGrid} media=${post.media} sensitive=${post.sensitive} renew=${async () => (await loadPost(post.id)).media} />`}
    ${!post.media?.length && post.link_preview && html`<${LinkPreview} preview=${post.link_preview} />`}
  `;
}
