// What else can be done with a post.
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { signedIn } from "../api/session.js";
import { ask, open } from "../state/dialogs.js";
import { people, putPerson } from "../state/entities.js";
import { actOn } from "../state/moderation.js";
import { isMe, toggleBlock, toggleMute } from "../state/people.js";
import { copyLink, muteConversation, removePost } from "../state/posts.js";
import { Menu } from "./menu.js";

/** @param {{post: import("#api").Post}} properties */
export function PostMenu({ post }) {
  const mine = isMe(post.author.id);
  const name = post.author.username;
  const known = people.of(post.author.id).value?.relationship;
  const remove = async () => {
    const sure = await ask({ title: t("post.delete.title"), text: t("post.delete.text"), yes: t("delete"), danger: true });
    if (sure) removePost(post.id);
  };
  const withAuthor = (act) => () => {
    putPerson(post.author);
    act(post.author.id);
  };
  const items = [
    { label: t("link.copy"), icon: "link", run: () => copyLink(`${location.origin}/posts/${post.id}`) },
    { label: t("post.reactions"), icon: "heart", run: () => open("reactions", { target: "post", id: post.id }) },
    post.edited && { label: t("post.history"), icon: "history", run: () => open("history", { id: post.id }) },
    mine && { label: t("post.metrics"), icon: "eye", run: () => open("metrics", { id: post.id }) },
    mine && { label: t("edit"), icon: "pen", run: () => open("compose", { edits: post.id }) },
    signedIn.value && {
      label: t(post.muted ? "post.unmute" : "post.mute"),
      icon: "mute",
      run: () => muteConversation(post.id, !post.muted),
    },
    mine && { label: t("delete"), icon: "trash", run: remove, danger: true },
    !mine && signedIn.value && { label: t(known?.muting ? "mute.undo" : "mute.do", { name }), icon: "mute", run: withAuthor(toggleMute) },
    !mine && signedIn.value && { label: t(known?.blocking ? "block.undo" : "block.do_name", { name }), icon: "block", run: withAuthor(toggleBlock), danger: true },
    !mine && { label: t("report.do"), icon: "flag", run: () => open("report", { target: "post", id: post.id }), danger: true },
    !mine && actOn("post", post.id),
  ];
  return html`<${Menu} label=${t("post.more")} items=${items} />`;
}
