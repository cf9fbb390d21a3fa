// Reports which posts were seen, so that their authors see the number of views.
import { post } from "../api/client.js";

const LOOKED_AT = 1_000;
const TOGETHER = 5_000;
const MOST = 100;
const timers = new Map();
const told = new Set();
const pending = [];
let sending = 0;

/** Notes that a post came on the screen or left it. */
export function looked(id, isVisible) {
  clearTimeout(timers.get(id));
  timers.delete(id);
  if (isVisible && !told.has(id)) timers.set(id, setTimeout(() => count(id), LOOKED_AT));
}

function count(id) {
  timers.delete(id);
  told.add(id);
  pending.push(id);
  if (!sending) sending = setTimeout(send, TOGETHER);
}

function send() {
  sending = 0;
  const ids = pending.splice(0, MOST);
  if (ids.length) post("/posts/views", { ids }).catch(() => null);
  if (pending.length) sending = setTimeout(send, TOGETHER);
}
