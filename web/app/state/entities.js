// Posts, comments and people as signals: one for each id, so that every place that shows it changes with it.
import { signal } from "@preact/signals";

/** A store of objects with ids. */
function storeOf() {
  const found = new Map();
  return {
    /** The signal of an id; its value is undefined until something was put. */
    of(id) {
      let entry = found.get(id);
      if (!entry) found.set(id, (entry = signal(undefined)));
      return entry;
    },
    /** Merges an object over what is known, and answers its id. */
    put(object) {
      const entry = this.of(object.id);
      entry.value = { ...entry.peek(), ...object };
      return object.id;
    },
    /** Changes fields of what is known. */
    change(id, changes) {
      const entry = this.of(id);
      const before = entry.peek();
      if (before) entry.value = { ...before, ...(typeof changes === "function" ? changes(before) : changes) };
      return before;
    },
    /** Notes that it does not exist any more. */
    gone(id) {
      this.of(id).value = null;
    },
    /** The id of the first one that is known and fits. */
    find(fits) {
      for (const [id, entry] of found) if (entry.peek() && fits(entry.peek())) return id;
      return null;
    },
    clear() {
      found.clear();
    },
  };
}

export const posts = storeOf();
export const comments = storeOf();
export const people = storeOf();

/** Puts a profile with its relationship; lists that leave the relationship out keep the known one. */
export function putPerson(given) {
  const person = { ...given };
  if (person.relationship === undefined || person.relationship === null) delete person.relationship;
  return people.put(person);
}

export const putPost = (post) => posts.put(post);
export const putComment = (comment) => comments.put(comment);
