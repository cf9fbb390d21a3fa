// Follow, requested, following: one button that says what it is and does the opposite.
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { people } from "../state/entities.js";
import { isMe, toggleBlock, toggleFollow } from "../state/people.js";

export function FollowButton({ id }) {
  const person = people.of(id).value;
  if (!person || isMe(id)) return null;
  const { following, requested, followed_by: followsMe, blocking } = person.relationship || {};
  const name = person.username;
  if (blocking) return html`<button class="button button-quiet" onClick=${() => toggleBlock(id)}>${t("block.undo")}</button>`;
  const label = following ? "follow.following" : requested ? "follow.requested" : followsMe ? "follow.back" : "follow.do";
  const does = following ? "follow.label.unfollow" : requested ? "follow.label.withdraw" : "follow.label.follow";
  return html`<button class="button ${following || requested ? "button-quiet" : "button-primary"}" aria-label="${t(label)}: ${t(does, { name })}" onClick=${() => toggleFollow(id)}>
    ${t(label)}
  </button>`;
}
