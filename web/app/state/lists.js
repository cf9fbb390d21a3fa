// Lists that are read in pages: kept by key, so that going back shows them again at once.
import { batch, signal } from "@preact/signals";
import { get } from "../api/client.js";

const kept = new Map();
const MOST_KEPT = 24;

/**
 * The list of a path. `put` stores an object and answers what the list holds of it (mostly its id).
 * @param {string} path
 * @param {(object: any) => string} put
 * @returns {ReturnType<typeof newList>}
 */
export function listOf(path, put) {
  let list = kept.get(path);
  if (list) kept.delete(path);
  else list = newList(path, put);
  kept.set(path, list);
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  return list;
}

/** Forgets lists, so that they are read again: those under a path, or all. */
export function forgetLists(prefix = "") {
  for (const path of [...kept.keys()]) if (path.startsWith(prefix)) kept.delete(path);
}

/** Every list that is kept and whose path starts so. */
export function listsUnder(prefix) {
  return [...kept].filter(([path]) => path.startsWith(prefix)).map(([, list]) => list);
}

function newList(path, put) {
  const items = signal([]);
  const status = signal("new"); // new, loading, ready, more, failed
  const problem = signal(null);
  const unseen = signal(0);
  let next = null;
  let readAt = 0;
  let answer = null;
  let first = Promise.resolve(); // the last reading of the first page
  let times = 0;

  function readFirst(keep) {
    times += 1;
    return (first = read(path, keep));
  }

  /** What the first page was read again after does not follow it any more. */
  async function read(from, keep) {
    const time = times;
    try {
      const page = await get(from);
      if (time !== times) return;
      if (from === path) {
        readAt = Date.now();
        answer = page;
      }
      batch(() => {
        const results = page.results.map((each) => put(each));
        items.value = keep ? [...new Set([...items.peek(), ...results])] : results;
        next = page.next;
        problem.value = null;
        status.value = "ready";
      });
    } catch (failure) {
      if (time !== times) return;
      batch(() => {
        const isMissing = failure.status === 404; // a list that is not there, or of somebody who is gone, is empty
        problem.value = isMissing ? null : failure;
        status.value = isMissing ? "ready" : "failed";
      });
    }
  }

  const list = {
    path,
    items,
    status,
    problem,
    unseen,
    get hasMore() {
      return next !== null;
    },
    /** When its first page was read last, in milliseconds since 1970. */
    get readAt() {
      return readAt;
    },
    /** The first page as the server sent it: searches say there what they searched for. */
    get answer() {
      return answer;
    },
    /** Reads the first page if nothing was read yet. */
    async load() {
      if (status.peek() !== "new" && status.peek() !== "failed") return;
      status.value = "loading";
      await readFirst(true); // with what came live meanwhile
    },
    /** Reads the next page. */
    async more() {
      await first;
      if (next === null || status.peek() === "more" || status.peek() === "loading") return;
      status.value = "more";
      await read(next, true);
    },
    /** Reads the first page again. */
    async refresh() {
      const missed = unseen.peek();
      unseen.value = 0;
      await readFirst(false);
      if (status.peek() === "failed") unseen.value += missed;
    },
    /** Goes on after a failure: from the start where there is no next page, or the server does not know its place any more. */
    async retry() {
      if (!items.peek().length) await list.load();
      else await (next === null || problem.peek()?.code.startsWith("cursor_") ? list.refresh() : list.more());
    },
    /** Takes one out. */
    drop(item) {
      items.value = items.peek().filter((each) => each !== item);
    },
    /** Puts one in front. */
    prepend(item) {
      if (!items.peek().includes(item)) items.value = [item, ...items.peek()];
    },
    /** Puts one at the end. */
    append(item) {
      if (!items.peek().includes(item)) items.value = [...items.peek(), item];
    },
  };
  return list;
}
