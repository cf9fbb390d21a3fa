// The row of buttons under a post.
import { html } from "../html.js";
import { count, t } from "../i18n/i18n.js";
import { share, toggleBookmark, toggleRepost } from "../state/posts.js";
import { Icon } from "./icon.js";
import { ReactionButton } from "./reaction_button.js";

/** @param {{post: import("#api").Post}} properties */
export function PostActions({ post }) {
  return html`<div class="actions" role="group" aria-label=${t("post.actions")}>
    <a class="action" href="/posts/${post.id}?reply" aria-label=${t("post.comment", { count: post.comments_count })}>
      <${Icon} name="comment" size=${20} />
      ${post.comments_count > 0 && html`<span>${count(post.comments_count)}</span>`}
    </a>
    <button type="button" class="action ${post.reposted ? "on-good" : ""}" aria-pressed=${!!post.reposted} disabled=${post.is_private} aria-label=${t("post.repost", { count: post.reposts_count })} onClick=${() => toggleRepost(post.id)}>
      <${Icon} name="repost" size=${20} />
      ${post.reposts_count > 0 && html`<span>${count(post.reposts_count)}</span>`}
    </button>
    <${ReactionButton} kind="post" item=${post} />
    <button type="button" class="action ${post.bookmarked ? "on-accent" : ""}" aria-pressed=${!!post.bookmarked} aria-label=${t("post.bookmark")} onClick=${() => toggleBookmark(post.id)}>
      <${Icon} name="bookmark" size=${20} filled=${post.bookmarked} />
    </button>
    <button type="button" class="action" aria-label=${t("post.share")} onClick=${() => share(post.id)}>
      <${Icon} name="share" size=${20} />
    </button>
  </div>`;
}
