// What happens by itself while somebody is signed in: the socket, live counts, the badge and the title.
import { effect, untracked } from "@preact/signals";
import { signedIn, user } from "../api/session.js";
import { connect, disconnect, onMessages, watch } from "../api/socket.js";
import { comments, people, posts } from "./entities.js";
import { forgetLists, listsUnder } from "./lists.js";
import { arrived, markedRead, unread } from "./notifications.js";
import { title } from "./title.js";
import { route } from "./router.js";

const WATCH_PAUSE = 400;
const onScreen = new Map();
let timer = 0;

export function startLive() {
  onMessages({
    ready: ({ unread: number }) => (unread.value = number),
    notification: ({ notification, unread: number }) => arrived(notification, number),
    read: ({ up_to: upTo, unread: number }) => markedRead(upTo, number),
    feed: ({ post_ids: ids }) => countUnseen(ids),
    post: ({ type: _type, id, ...counts }) => posts.change(id, counts),
  });
  let before = null;
  effect(() => {
    const now = user.value?.id || null;
    untracked(() => {
      if (before !== null && before !== now) forgetEverything();
      before = now;
      if (now) connect();
      else {
        disconnect();
        unread.value = 0;
      }
    });
  });
  effect(showUnread);
  effect(() => {
    route.value;
    watchSoon();
  });
}

function forgetEverything() {
  forgetLists();
  for (const store of [posts, comments, people]) store.clear();
}

function countUnseen(ids) {
  for (const list of listsUnder("/feed")) {
    const shown = new Set(list.items.peek());
    const unseen = ids.filter((id) => !shown.has(id));
    list.unseen.value += unseen.length;
  }
}

function showUnread() {
  const number = unread.value;
  document.title = number ? `(${number}) ${title.value}` : title.value;
  if (number) navigator.setAppBadge?.(number).catch(() => null);
  else navigator.clearAppBadge?.().catch(() => null);
}

/** Tells which posts are on screen: their counts stay live. */
export function seen(id, isVisible) {
  const times = (onScreen.get(id) || 0) + (isVisible ? 1 : -1);
  if (times > 0) onScreen.set(id, times);
  else onScreen.delete(id);
  watchSoon();
}

function watchSoon() {
  if (!signedIn.peek()) return;
  clearTimeout(timer);
  timer = setTimeout(() => watch({ feed: route.peek().name === "home", posts: [...onScreen.keys()] }), WATCH_PAUSE);
}
