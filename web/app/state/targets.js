// The posts and comments that notifications are about: those of a page are read together.
import { get } from "../api/client.js";
import { comments, posts, putComment, putPost } from "./entities.js";

/** @type {Record<string, {store: {of(id: string): {value: any, peek(): any}}, put: (object: any) => string, ids: Set<string>}>} */
const KINDS = {
  post: { store: posts, put: putPost, ids: new Set() },
  comment: { store: comments, put: putComment, ids: new Set() },
};

/**
 * Asks for the target of a notification, unless it is known.
 * @param {import("#api").Notification} given
 */
export function wantTarget({ kind, target }) {
  const wanted = KINDS[target?.type];
  if (!wanted || kind === "moderation" || wanted.store.of(target.id).peek() !== undefined) return;
  if (!wanted.ids.size) queueMicrotask(() => read(target.type));
  wanted.ids.add(target.id);
}

async function read(type) {
  const { put, ids } = KINDS[type];
  const asked = [...ids];
  ids.clear();
  const found = await get(`/${type}s?ids=${asked.join(",")}`).catch(() => ({ results: [] })); // they show without
  found.results.forEach(put);
}

/** How the target begins, or the warning in its place; "" while it is not known. @param {import("#api").Notification} given */
export function excerptOf({ target }) {
  const known = KINDS[target?.type]?.store.of(target.id).value;
  return known ? known.content_warning || known.content : "";
}
