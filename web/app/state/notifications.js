// Unread notifications: their number, and marking them read here and on all devices.
import { signal } from "@preact/signals";
import { post } from "../api/client.js";
import { sendRead } from "../api/socket.js";
import { listsUnder } from "./lists.js";
import { wantTarget } from "./targets.js";

export const unread = signal(0);
/** id → signal of the notification. @type {Map<string, import("@preact/signals").Signal<import("#api").Notification | null>>} */
const known = new Map();

export function notification(id) {
  let entry = known.get(id);
  if (!entry) known.set(id, (entry = signal(null)));
  return entry;
}

/** Takes one that is about to be shown. */
export function putNotification(given) {
  notification(given.id).value = given;
  wantTarget(given);
  return given.id;
}

/** Takes a live one: it goes in front of every list, also when it had been there with fewer actors. */
export function arrived(given, number) {
  notification(given.id).value = given;
  unread.value = number;
  for (const list of listsUnder("/notifications")) {
    list.drop(given.id);
    list.prepend(putNotification(given));
  }
}

/** Reads lists again that lack the newest one: it came after they were read and before there was a connection. */
export function lookFor(newest) {
  for (const list of listsUnder("/notifications")) {
    if (list.status.peek() === "ready" && compare(list.items.peek()[0] || "0", newest) < 0) list.refresh();
  }
}

/** Marks everything up to the newest as read. */
export async function markAllRead() {
  const newest = listsUnder("/notifications").flatMap((list) => list.items.peek())[0];
  if (!newest || unread.peek() === 0) return;
  if (!sendRead(newest)) await post("/notifications/read", { up_to: newest }).catch(() => null);
  markedRead({ up_to: newest, unread: 0 });
}

/** Marks the one as read that somebody opens. */
export async function markRead(id) {
  if (notification(id).peek()?.is_read !== false) return;
  markedRead({ ids: [id], unread: Math.max(0, unread.peek() - 1) });
  await post("/notifications/read", { ids: [id] }).then(({ count }) => (unread.value = count), () => null);
}

/**
 * Notes what is read, here or on another device: everything up to an id, or some.
 * @param {{up_to?: string | null, ids?: string[], unread: number}} message
 */
export function markedRead({ up_to: upTo = null, ids = [], unread: number }) {
  for (const [id, entry] of known) {
    const value = entry.peek();
    const isRead = upTo ? compare(id, upTo) <= 0 : ids.includes(id);
    if (value && !value.is_read && isRead) entry.value = { ...value, is_read: true };
  }
  unread.value = number;
}

/** Orders ids, which are too long for numbers. */
function compare(a, b) {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}
