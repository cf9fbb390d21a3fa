// Posts, comments and people as signals: one for each id, so that every place that shows it changes with it.
import { signal } from "@preact/signals";

/**
 * A store of objects with ids.
 * @template {{id: string}} T
 */
function storeOf() {
  /** @type {Map<string, import("@preact/signals").Signal<T | null | undefined>>} */
  const found = new Map();
  return {
    /** The signal of an id; its value is undefined until something was put. @param {string} id */
    of(id) {
      let entry = found.get(id);
      if (!entry) found.set(id, (entry = signal(undefined)));
      return entry;
    },
    /** Merges an object over what is known, and answers its id. @param {T} object */
    put(object) {
      const entry = this.of(object.id);
      entry.value = { ...entry.peek(), ...object };
      return object.id;
    },
    /** Changes fields of what is known. @param {string} id @param {Partial<T> | ((before: T) => Partial<T>)} changes */
    change(id, changes) {
      const entry = this.of(id);
      const before = entry.peek();
      if (before) entry.value = { ...before, ...(typeof changes === "function" ? changes(before) : changes) };
      return before;
    },
    /** Notes that it does not exist any more. @param {string} id */
    gone(id) {
      this.of(id).value = null;
    },
    /** Notes that those which fit do not exist any more. @param {(object: T) => unknown} fits */
    goneWhere(fits) {
      for (const entry of found.values()) if (entry.peek() && fits(entry.peek())) entry.value = null;
    },
    /** The id of the first one that is known and fits. @param {(object: T) => unknown} fits */
    find(fits) {
      for (const [id, entry] of found) if (entry.peek() && fits(entry.peek())) return id;
      return null;
    },
    clear() {
      found.clear();
    },
  };
}

export const posts = /** @type {ReturnType<typeof storeOf<import("#api").Post>>} */ (storeOf());
export const comments = /** @type {ReturnType<typeof storeOf<import("#api").Comment>>} */ (storeOf());
export const media = /** @type {ReturnType<typeof storeOf<import("#api").Media>>} */ (storeOf());
export const people = /** @type {ReturnType<typeof storeOf<import("#api").Person>>} */ (storeOf());

/** Puts a profile with its relationship; lists that leave the relationship out keep the known one. */
export function putPerson(given) {
  const person = { ...given };
  if (person.relationship === undefined || person.relationship === null) delete person.relationship;
  return people.put(person);
}

/** Puts a post. Who reposted it is only told by the feed, and stays known for it. @param {any} given */
export function putPost({ reposted_by: _by, ...post }) {
  return posts.put(/** @type {import("#api").Post} */ (post));
}
/** Puts a post of the feed. @param {any} post */
export const putFeedPost = (post) => posts.put(post);
export const putComment = (comment) => comments.put(comment);
