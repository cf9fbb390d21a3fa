// One comment with its replies, which unfold when asked for.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { del, get, patch } from "../api/client.js";
import { signedIn } from "../api/session.js";
import { ask, open } from "../state/dialogs.js";
import { draft, dropDraft, keepDraft } from "../state/drafts.js";
import { comments, posts, putComment } from "../state/entities.js";
import { listOf } from "../state/lists.js";
import { actOn } from "../state/moderation.js";
import { isMe } from "../state/people.js";
import { copyLink, needsAccount } from "../state/posts.js";
import { complain } from "../state/toasts.js";
import { Avatar } from "./avatar.js";
import { CommentForm } from "./comment_form.js";
import { Form } from "./form.js";
import { Icon } from "./icon.js";
import { MediaGrid } from "./media_grid.js";
import { Menu } from "./menu.js";
import { ReactionButton } from "./reaction_button.js";
import { RichText } from "./rich_text.js";
import { Spinner } from "./skeleton.js";
import { Failed } from "./states.js";
import { TextArea } from "./text_area.js";
import { Time } from "./time.js";
import { Withheld } from "./withheld.js";

const INDENTED = 5;

/** `level` counts from 0; deeper than INDENTED, replies stay at the same indent. `path`: ids to unfold, to a deep link. */
export function Comment({ id, level = 0, path = [], postAuthor }) {
  const comment = comments.of(id).value;
  const [replying, setReplying] = useState(false);
  const [editing, setEditing] = useState(false);
  const replies = listOf(`/comments/${id}/replies?limit=20`, putComment);
  const onPath = path.includes(id);
  const [unfolded, setUnfolded] = useState(onPath && path.at(-1) !== id);
  const element = useRef(null);
  const wanted = path.at(-1) === id;
  useEffect(() => {
    if (unfolded) replies.load();
  }, [unfolded]);
  useEffect(() => {
    const isWhole = replies.status.peek() === "ready" && !replies.hasMore;
    if (unfolded && isWhole && comment?.replies_count > replies.items.peek().length) replies.refresh();
  }, [comment?.replies_count]);
  useEffect(() => {
    if (wanted) element.current?.scrollIntoView({ block: "center" });
  }, [wanted]);
  if (!comment) return null;
  const author = comment.author;
  const renew = async () => {
    const read = await get(`/comments/${id}`);
    putComment(read);
    return read.media;
  };
  const added = (made) => {
    setReplying(false);
    setUnfolded(true);
    comments.change(id, { replies_count: comment.replies_count + 1 });
    replies.load().then(() => replies.append(made));
  };
  return html`<article ref=${element} class="comment ${wanted ? "comment-wanted" : ""}" tabindex="-1" aria-label=${author ? t("comment.by", { name: author.username }) : t("comment.gone")}>
    ${author ? html`<a class="comment-avatar" href="/@${author.username}" tabindex="-1" aria-hidden="true"><${Avatar} person=${author} size="small" /></a>` : html`<span class="avatar avatar-small avatar-gone" aria-hidden="true"></span>`}
    <div class="comment-main">
      ${author ? html`<${Head} comment=${comment} postAuthor=${postAuthor} onEdit=${() => setEditing(true)} />` : html`<p class="comment-gone">${t("comment.gone")}</p>`}
      ${editing ? html`<${Edit} comment=${comment} onDone=${() => setEditing(false)} />` : author && html`<${Withheld} as=${comment.withheld} /><div class="comment-text"><${RichText} text=${comment.content} /></div>`}
      ${author && comment.media?.length > 0 && html`<${MediaGrid} media=${comment.media} sensitive=${false} renew=${renew} />`}
      ${author && html`<div class="actions comment-actions">
        <${ReactionButton} kind="comment" item=${comment} />
        ${!posts.of(comment.post_id).value?.comments_locked && html`<button type="button" class="action" onClick=${() => needsAccount() && setReplying(!replying)}><${Icon} name="comment" size=${18} /> ${t("comment.reply")}</button>`}
      </div>`}
      ${replying && html`<${CommentForm} postId=${comment.post_id} parent=${comment} focused onDone=${added} onCancel=${() => setReplying(false)} />`}
      ${comment.replies_count > 0 && html`<button type="button" class="link fold" aria-expanded=${unfolded} onClick=${() => setUnfolded(!unfolded)}>${unfolded ? t("comment.fold") : t("comment.unfold", { count: comment.replies_count })}</button>`}
    </div>
    ${unfolded && html`<div class="replies ${level >= INDENTED ? "replies-flat" : ""}">
      ${replies.items.value.map((each) => html`<${Comment} key=${each} id=${each} level=${level + 1} path=${path} postAuthor=${postAuthor} />`)}
      ${["new", "loading", "more"].includes(replies.status.value) && html`<${Spinner} />`}
      ${replies.status.value === "failed" && html`<${Failed} problem=${replies.problem.value} onRetry=${replies.retry} />`}
      ${replies.status.value === "ready" && replies.hasMore && html`<button type="button" class="link fold" onClick=${replies.more}>${t("comment.more")}</button>`}
    </div>`}
  </article>`;
}

/** @param {{comment: import("#api").Comment, postAuthor: string, onEdit: () => void}} properties */
function Head({ comment, postAuthor, onEdit }) {
  const { id, author } = comment;
  const mine = isMe(author.id);
  const remove = async () => {
    if (!(await ask({ title: t("comment.delete.title"), yes: t("delete"), danger: true }))) return;
    const number = posts.of(comment.post_id).peek()?.comments_count ?? 0;
    try {
      await del(`/comments/${id}`);
      posts.change(comment.post_id, (now) => ({ comments_count: Math.max(0, Math.min(now.comments_count, number - 1)) }));
      if (comment.replies_count) comments.change(id, { author: null, content: "" });
      else {
        comments.gone(id);
        comments.change(comment.parent_comment_id, (parent) => ({ replies_count: parent.replies_count - 1 }));
      }
    } catch (problem) {
      complain(problem);
    }
  };
  const items = [
    { label: t("link.copy"), icon: "link", run: () => copyLink(`${location.origin}/posts/${comment.post_id}?comment=${id}`) },
    { label: t("post.reactions"), icon: "heart", run: () => open("reactions", { target: "comment", id }) },
    mine && { label: t("edit"), icon: "pen", run: onEdit },
    (mine || isMe(postAuthor)) && { label: t("delete"), icon: "trash", run: remove, danger: true },
    !mine && signedIn.value && { label: t("report.do"), icon: "flag", run: () => open("report", { target: "comment", id }), danger: true },
    !mine && actOn("comment", id),
  ];
  return html`<header class="comment-head">
    <a href="/@${author.username}"><span class="name" dir="auto">${author.full_name || author.username}</span> <span class="handle"><bdi dir="ltr">@${author.username}</bdi></span></a>
    ${author.id === postAuthor && html`<span class="badge">${t("comment.author")}</span>`}
    <a class="post-time" href="/posts/${comment.post_id}?comment=${id}"><${Time} at=${comment.created_at} /></a>
    ${comment.edited && html`<span class="handle">${t("post.edited")}</span>`}
    <${Menu} label=${t("comment.more_actions")} items=${items} />
  </header>`;
}

/** @param {{comment: import("#api").Comment, onDone: () => void}} properties */
function Edit({ comment, onDone }) {
  const place = `edit-comment:${comment.id}`;
  const [text, setText] = useState(() => draft(place)?.content ?? comment.content);
  useLayoutEffect(() => (text === comment.content ? dropDraft(place) : keepDraft(place, { content: text })), [text]);
  const leave = () => {
    dropDraft(place);
    onDone();
  };
  const save = async () => {
    try {
      putComment(await patch(`/comments/${comment.id}`, { content: text.trim() }));
      leave();
    } catch (problem) {
      complain(problem);
    }
  };
  return html`<${Form} class="comment-form-box" onSubmit=${save}>
    <${TextArea} label=${t("comment.edit")} value=${text} onChange=${setText} focused rows=${2} />
    <div class="comment-form-foot">
      <button type="button" class="button button-quiet" onClick=${leave}>${t("cancel")}</button>
      <button class="button button-primary" disabled=${!text.trim()}>${t("save")}</button>
    </div>
  <//>`;
}
