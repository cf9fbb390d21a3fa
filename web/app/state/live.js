// What happens by itself while somebody is signed in: the socket, live counts, the badge and the title.
import { effect, untracked } from "@preact/signals";
import { get } from "../api/client.js";
import { signedIn, user } from "../api/session.js";
import { answered, connect, disconnect, onMessages, watch } from "../api/socket.js";
import { lookAgain } from "../api/uploads.js";
import { comments, media, people, posts } from "./entities.js";
import { forgetLists, listsUnder } from "./lists.js";
import { arrived, lookFor, markedRead, unread } from "./notifications.js";
import { forgetRecent } from "./recent.js";
import { title } from "./title.js";
import { looked } from "./views.js";
import { route } from "./router.js";

const WATCH_PAUSE = 400;
const FRESH = 2_000;
const LOOK_AGAIN = 5_000;
const FEED_SETTLES = 10_000; // a post is in the feeds of followers a moment after it is written
const onScreen = new Map();
const unseen = new WeakMap();
let timer = 0;
let looking = 0;

export function startLive() {
  onMessages({
    ready: ({ unread: number, cursor }, isAgain) => {
      unread.value = number;
      lookFor(cursor);
      watchNow();
      if (isAgain || !feedIsFresh()) catchUp();
    },
    notification: ({ notification, unread: number }) => arrived(notification, number),
    read: markedRead,
    unread: ({ unread: number }) => (unread.value = number),
    feed: ({ post_ids: ids }) => countUnseen(ids),
    post: ({ type: _type, id, ...counts }) => posts.change(id, counts),
    media: ({ id }) => lookAgain(id),
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
  clearTimeout(looking);
  forgetLists();
  forgetRecent();
  for (const store of [posts, comments, media, people]) store.clear();
}

function feedIsFresh() {
  return listsUnder("/feed").every((list) => list.status.peek() !== "ready" || Date.now() - list.readAt < FRESH);
}

/** Looks for posts that came while there was no connection, again after `pause` when that fails. */
async function catchUp(pause = LOOK_AGAIN) {
  await answered(); // from here on the server tells what is new: nothing falls between that and what is read
  const isRead = await lookForMissed();
  clearTimeout(looking);
  if (isRead) looking = setTimeout(lookForMissed, FEED_SETTLES);
  else looking = setTimeout(() => catchUp(pause * 2), pause);
}

/** Counts what the feed has above what is shown; false when it could not be read. */
async function lookForMissed() {
  const [list] = listsUnder("/feed");
  if (!list || ["new", "failed"].includes(list.status.peek())) return true; // is read when it is shown
  const page = await get("/feed").catch(() => null);
  if (!page || list.status.peek() !== "ready") return false;
  const ids = page.results.map(({ id }) => id);
  const shown = new Set(list.items.peek());
  const newest = ids.findIndex((id) => shown.has(id));
  addUnseen(list, newest < 0 ? ids : ids.slice(0, newest));
  return true;
}

function countUnseen(ids) {
  for (const list of listsUnder("/feed")) addUnseen(list, ids);
}

/** Counts new posts once each: the socket and a feed that is read again may both name one. An empty list shows them. */
function addUnseen(list, ids) {
  const shown = new Set(list.items.peek());
  if (!shown.size && ids.length && list.status.peek() === "ready") {
    list.refresh();
    return;
  }
  const known = (list.unseen.peek() && unseen.get(list)) || new Set();
  for (const id of ids) if (!shown.has(id)) known.add(id);
  unseen.set(list, known);
  list.unseen.value = known.size;
}

function showUnread() {
  const number = unread.value;
  document.title = number ? `(${number}) ${title.value}` : title.value;
  if (number) navigator.setAppBadge?.(number).catch(() => null);
  else navigator.clearAppBadge?.().catch(() => null);
}

/** Tells which posts are on screen: their counts stay live. */
export function seen(id, isVisible) {
  looked(id, isVisible);
  const times = (onScreen.get(id) || 0) + (isVisible ? 1 : -1);
  if (times > 0) onScreen.set(id, times);
  else onScreen.delete(id);
  watchSoon();
}

function watchSoon() {
  if (!signedIn.peek()) return;
  clearTimeout(timer);
  timer = setTimeout(watchNow, WATCH_PAUSE);
}

function watchNow() {
  clearTimeout(timer);
  watch({ feed: listsUnder("/feed").length > 0, posts: [...onScreen.keys()] });
}
