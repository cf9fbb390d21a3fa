// What a person can do with posts: shown at once, taken back when the server refuses.
import { effect } from "@preact/signals";
import { del, get, newKey, patch, post, put, request } from "../api/client.js";
import { beforeLeaving, signedIn } from "../api/session.js";
import { t } from "../i18n/i18n.js";
import { comments, posts, putPost } from "./entities.js";
import { listsUnder } from "./lists.js";
import { open } from "./dialogs.js";
import { complain, dismiss, toast } from "./toasts.js";
import { putInTurn } from "./turns.js";

export const REACTIONS = ["like", "love", "haha", "sad", "angry"];
const UNDO_SECONDS = 10;

/** Whether somebody is signed in; asks them to, if not. */
export function needsAccount() {
  if (signedIn.value) return true;
  open("join");
  return false;
}

/** Shows changes, and puts or deletes what is at `path`. The answer; null when it failed, or when it is out of date already. */
async function optimistic(store, id, changes, { path, on, body = undefined }) {
  const before = store.of(id).peek();
  store.change(id, changes);
  try {
    const { answer, isLast } = await putInTurn(path, { on, body });
    return isLast ? answer : null;
  } catch (problem) {
    if (store === posts && problem.status === 404) posts.gone(id);
    else if (before) store.of(id).value = before;
    complain(problem);
    return null;
  }
}

function withReaction(item, type) {
  const reactions = { ...item.reactions };
  if (item.my_reaction) reactions[item.my_reaction] = Math.max(0, (reactions[item.my_reaction] || 0) - 1);
  if (type) reactions[type] = (reactions[type] || 0) + 1;
  return { reactions, my_reaction: type };
}

/** Sets or, with null, removes the caller's reaction on a post or comment. */
export async function react(kind, id, type) {
  if (!needsAccount()) return;
  const store = kind === "post" ? posts : comments;
  const sent = { path: `/${kind}s/${id}/reaction`, on: !!type, body: { reaction_type: type } };
  const answer = await optimistic(store, id, (item) => withReaction(item, type), sent);
  if (answer) store.change(id, { reactions: answer.reactions, my_reaction: answer.my_reaction });
}

export async function toggleRepost(id) {
  if (!needsAccount()) return;
  const was = !!posts.of(id).peek().reposted;
  const by = was ? -1 : 1;
  const changes = (item) => ({ reposted: !was, reposts_count: Math.max(0, item.reposts_count + by) });
  const done = await optimistic(posts, id, changes, { path: `/posts/${id}/repost`, on: !was });
  if (done !== null && !was) toast(t("post.reposted"), { action: { label: t("undo"), run: () => toggleRepost(id) } });
}

export async function toggleBookmark(id) {
  if (!needsAccount()) return;
  const was = posts.of(id).peek().bookmarked;
  await optimistic(posts, id, { bookmarked: !was }, { path: `/posts/${id}/bookmark`, on: !was });
  const isBookmarked = posts.of(id).peek()?.bookmarked; // not what was asked for, when the server refused
  for (const list of listsUnder("/bookmarks")) isBookmarked ? list.prepend(id) : list.drop(id);
}

/** Mutes or unmutes notifications about a conversation. */
export async function muteConversation(id, muted) {
  try {
    await (muted ? put(`/posts/${id}/mute`) : del(`/posts/${id}/mute`));
    posts.change(id, { muted });
    toast(t(muted ? "post.muted" : "post.unmuted"));
  } catch (problem) {
    complain(problem);
  }
}

/** Takes a post away at once, and deletes it when nobody has undone that: at the latest when the page or the session ends. */
export function removePost(id) {
  const before = posts.of(id).peek();
  const stop = effect(() => void (posts.of(id).value && posts.gone(id))); // lists that are read meanwhile still have it
  const restore = () => {
    stop();
    posts.of(id).value = before;
  };
  const undo = () => {
    forget();
    restore();
  };
  const commit = async () => {
    forget();
    await del(`/posts/${id}`, { keepalive: true }).catch((problem) => {
      if (problem.status === 404) return;
      restore();
      complain(problem);
    });
  };
  const shown = toast(t("post.deleted"), { seconds: UNDO_SECONDS, action: { label: t("undo"), run: undo }, onGone: commit });
  const end = () => dismiss(shown);
  addEventListener("pagehide", end);
  beforeLeaving.add(end);
  const forget = () => {
    removeEventListener("pagehide", end);
    beforeLeaving.delete(end);
  };
}

/** Reads a post with its ETag, for editing. */
export async function readForEdit(id) {
  const { body, etag } = await request("GET", `/posts/${id}`);
  putPost(body);
  return { post: body, etag };
}

export async function saveEdit(id, changes, etag) {
  putPost(await patch(`/posts/${id}`, changes, { etag }));
}

/** Publishes a post under an idempotency key, so that sending it again makes no second one. */
export async function publish(body, key = newKey()) {
  const made = await post("/posts", body, { key });
  putPost(made);
  for (const list of listsUnder("/feed")) list.prepend(made.id);
  for (const list of listsUnder(`/profiles/${made.author.id}/posts`)) list.prepend(made.id);
  return made;
}

/** Reads a post. One that is not there any more leaves the lists that still show it. */
export async function loadPost(id) {
  try {
    const found = await get(`/posts/${id}`);
    putPost(found);
    return found;
  } catch (problem) {
    if (problem.status === 404) posts.gone(id);
    throw problem;
  }
}

/** Shares by the system's dialog where there is one, else copies the link. */
export async function share(id) {
  const url = `${location.origin}/posts/${id}`;
  const post = posts.of(id).peek();
  if (navigator.share) {
    await navigator.share({ url, title: post?.author?.full_name || post?.author?.username }).catch(() => null);
  } else {
    await copyLink(url);
  }
}

export async function copyLink(url) {
  try {
    await navigator.clipboard.writeText(url);
    toast(t("link.copied"));
  } catch {
    toast([t("copy.refused"), url].join(" "), { kind: "bad", seconds: 30 });
  }
}
