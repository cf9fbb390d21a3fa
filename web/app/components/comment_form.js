// Where a comment or reply is written.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { newKey, post } from "../api/client.js";
import { profile } from "../api/session.js";
import { draft, dropDraft, keepDraft } from "../state/drafts.js";
import { posts, putComment } from "../state/entities.js";
import { needsAccount } from "../state/posts.js";
import { enqueue } from "../state/outbox.js";
import { go } from "../state/router.js";
import { complain, toast } from "../state/toasts.js";
import { Avatar } from "./avatar.js";
import { Form } from "./form.js";
import { Icon } from "./icon.js";
import { addFiles, droppable, idsOf, MediaStrip, useMedia } from "./media_strip.js";
import { TextArea } from "./text_area.js";

/** `onDone(id)` is called with the new comment; `parent` makes it a reply. */
export function CommentForm({ postId, parent = null, onDone, onCancel = null, focused = false }) {
  const place = parent ? `reply:${parent.id}` : `comment:${postId}`;
  const [text, setText] = useState(() => draft(place)?.content || "");
  const [media, setMedia] = useMedia(place);
  const picker = useRef(null);
  const key = useRef(newKey());
  useLayoutEffect(() => {
    key.current = newKey(); // another text is another comment, also after the first was sent without an answer
    keepDraft(place, { content: text, media_ids: idsOf(media) });
  }, [text, media]);
  const ready = text.trim() && media.every((each) => each.media); // a failed one is tried again or removed
  const take = (files) => addFiles(files, setMedia, 1, /^image\//);
  const pick = (event) => {
    take([...event.currentTarget.files]);
    event.currentTarget.value = "";
  };
  const send = async () => {
    if (!ready || !needsAccount()) return;
    const body = { content: text.trim(), ...(parent ? { parent_comment_id: parent.id } : {}), ...(media.length ? { media_ids: media.map((each) => each.media.id) } : {}) };
    const number = posts.of(postId).peek()?.comments_count ?? 0;
    try {
      const made = await post(`/posts/${postId}/comments`, body, { key: key.current });
      putComment(made);
      // The socket may have been faster.
      posts.change(postId, (now) => ({ comments_count: Math.max(now.comments_count, number + 1) }));
      finish();
      onDone(made.id);
      // It may be far below, or among replies.
      toast(t(made.withheld ? "withheld.waiting" : "comment.sent"), { action: { label: t("composer.view"), run: () => go(`/posts/${postId}?comment=${made.id}`) } });
    } catch (problem) {
      if (problem.status === 0) {
        await enqueue(`/posts/${postId}/comments`, body, key.current);
        finish();
      } else complain(problem);
    }
  };
  const finish = () => {
    setText("");
    setMedia(() => []);
    dropDraft(place);
  };
  const label = parent ? t("comment.reply_to", { name: parent.author?.username || "" }) : t("comment.write");
  return html`<${Form} class="comment-form" onSubmit=${send} ...${droppable(take)}>
    ${!parent && html`<${Avatar} person=${profile.value} size="small" />`}
    <div class="comment-form-box">
      <${TextArea} label=${label} value=${text} onChange=${setText} focused=${focused} onFiles=${take} rows=${1} />
      ${media.length > 0 && html`<${MediaStrip} media=${media} setMedia=${setMedia} />`}
      ${(text || parent || media.length > 0) &&
      html`<div class="comment-form-foot">
        <input ref=${picker} type="file" class="unseen" tabindex="-1" aria-hidden="true" accept="image/*" onChange=${pick} />
        <button type="button" class="icon-button" aria-label=${t("composer.media")} title=${t("composer.media")} disabled=${media.length > 0} onClick=${() => picker.current.click()}><${Icon} name="image" /></button>
        ${onCancel && html`<button type="button" class="button button-quiet" onClick=${onCancel}>${t("cancel")}</button>`}
        <button class="button button-primary" disabled=${!ready}>${t("comment.send")}</button>
      </div>`}
    </div>
  <//>`;
}
