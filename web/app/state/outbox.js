// What was written without a connection: kept in IndexedDB, sent when there is one again, each exactly once.
import { effect, signal } from "@preact/signals";
import { newKey, post } from "../api/client.js";
import { signedIn, user } from "../api/session.js";
import { t } from "../i18n/i18n.js";
import { draft, keepDraft } from "./drafts.js";
import { putPost } from "./entities.js";
import { listsUnder } from "./lists.js";
import { explain } from "./problems.js";
import { toast } from "./toasts.js";

const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 60_000;

/** How many wait. */
export const waiting = signal(0);
let sending = false;
let retry = 0;
let pause = FIRST_PAUSE;

export function startOutbox() {
  addEventListener("online", flush);
  effect(() => void (signedIn.value && flush()));
}

/** The server may be unreachable while the browser has a connection: then nothing tells when it is back. */
function flushLater() {
  clearTimeout(retry);
  retry = setTimeout(flush, pause);
  pause = Math.min(pause * 2, LONGEST_PAUSE);
}

function database() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("outbox", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("requests", { keyPath: "key" });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

async function withStore(mode, use) {
  const opened = await database();
  return new Promise((resolve, reject) => {
    const transaction = opened.transaction("requests", mode);
    const asked = use(transaction.objectStore("requests"));
    transaction.oncomplete = () => resolve(asked?.result);
    transaction.onerror = () => reject(transaction.error);
  }).finally(() => opened.close());
}

/** Keeps a request for later. */
export async function enqueue(path, body, key = newKey()) {
  await withStore("readwrite", (store) => store.put({ key, path, body, owner: user.value?.id, at: Date.now() }));
  waiting.value += 1;
  toast(t("outbox.kept"));
  flushLater();
}

/** Sends what waits, oldest first. The key of each makes sending it again harmless. */
export async function flush() {
  if (sending || !navigator.onLine || !signedIn.value) return;
  sending = true;
  try {
    const all = await withStore("readonly", (store) => store.getAll());
    const own = all.filter((each) => each.owner === user.value?.id).sort((a, b) => a.at - b.at);
    waiting.value = own.length;
    for (const each of own) {
      if (!(await deliver(each))) {
        flushLater();
        break;
      }
      pause = FIRST_PAUSE;
      waiting.value -= 1;
    }
  } catch {
    // Without IndexedDB there is no outbox.
  } finally {
    sending = false;
  }
}

async function deliver({ key, path, body }) {
  try {
    const made = await post(path, body, { key });
    if (path === "/posts") {
      putPost(made);
      for (const list of listsUnder("/feed")) list.prepend(made.id);
    }
    toast(t("outbox.sent"));
  } catch (problem) {
    if (problem.temporary || problem.status === 401) return false;
    toast(explain(problem), { kind: "bad" });
    backToDraft(path, body);
  }
  await withStore("readwrite", (store) => store.delete(key));
  return true;
}

/** What the server refuses is where it was written again, unless something else is there by now. */
function backToDraft(path, { parent_comment_id: parent, ...written }) {
  const place = path === "/posts" ? "new" : parent ? `reply:${parent}` : `comment:${path.split("/")[2]}`;
  if (!draft(place)) keepDraft(place, written);
}
