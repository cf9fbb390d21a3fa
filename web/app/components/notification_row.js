// One notification: who did what, with a way to it.
import { html } from "../html.js";
import { list, t } from "../i18n/i18n.js";
import { markRead, notification } from "../state/notifications.js";
import { excerptOf } from "../state/targets.js";
import { writeAppeal } from "./appeal_dialog.js";
import { Avatar } from "./avatar.js";
import { Icon } from "./icon.js";
import { RequestAnswer } from "./request_answer.js";
import { Time } from "./time.js";

const ICONS = {
  new_post: "pen",
  follow: "user",
  follow_request: "people",
  follow_accepted: "check",
  comment: "comment",
  reply: "comment",
  mention: "hash",
  reaction: "heart",
  repost: "repost",
  moderation: "flag",
};
const FACES_SHOWN = 5;

export function NotificationRow({ id }) {
  const given = notification(id).value;
  if (!given) return null;
  const actors = given.actors || [];
  const excerpt = given.kind === "moderation" ? "" : excerptOf(given);
  return html`<article class="note ${given.is_read ? "" : "note-new"}" aria-label=${sentence(given)}>
    <span class="note-icon note-${given.kind}"><${Icon} name=${ICONS[given.kind] || "bell"} size=${20} filled /></span>
    <div class="note-main">
      ${actors.length > 0 && html`<p class="note-faces">${actors.slice(0, FACES_SHOWN).map((actor) => html`<a key=${actor.id} href="/@${actor.username}" aria-label="@${actor.username}"><${Avatar} person=${actor} size="small" /></a>`)}</p>`}
      <p><a class="note-link" href=${addressOf(given)} onClick=${() => markRead(id)}>${sentence(given)}</a></p>
      ${excerpt && html`<p class="note-excerpt" dir="auto">${excerpt}</p>`}
      <p class="handle"><${Time} at=${given.created_at} />${!given.is_read && html` · <span class="note-dot">${t("notification.new")}</span>`}</p>
      ${given.kind === "follow_request" && actors.length === 1 && html`<${RequestAnswer} id=${actors[0].id} username=${actors[0].username} />`}
      ${given.kind === "moderation" && given.action_id && html`<button class="button button-quiet" onClick=${() => writeAppeal(given.action_id)}>${t("appeal.do")}</button>`}
    </div>
  </article>`;
}

/** @param {import("#api").Notification} given */
function sentence(given) {
  const key = `notification.${given.kind}`;
  const actors = given.actors || [];
  if (given.kind === "moderation" || !actors.length || t(key) === key) return given.message;
  const names = actors.slice(0, 2).map((actor) => isolated(actor.full_name || actor.username));
  const others = (given.actors_count || actors.length) - names.length;
  const who = others > 0 ? list([...names, t("notification.others", { count: others })]) : list(names);
  return t(key, { who, target: given.target?.type || "other", count: given.actors_count || actors.length });
}

/** A name for a sentence that is written in the other direction. Source: UAX #9, FSI and PDI. */
function isolated(name) {
  const isRightToLeft = /[\p{Script=Arabic}\p{Script=Hebrew}]/u.test(name);
  return isRightToLeft === (document.documentElement.dir === "rtl") ? name : `\u2068${name}\u2069`;
}

/** @param {import("#api").Notification} given */
function addressOf(given) {
  const { target, kind, actors } = given;
  if (kind === "follow_request") return "/follow-requests";
  if (target?.type === "post") return `/posts/${target.id}`;
  if (target?.type === "comment") return `/comments/${target.id}`;
  if (actors?.length) return `/@${actors[0].username}`;
  return "/notifications";
}
