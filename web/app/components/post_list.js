// A list of posts from a path of the API.
import { html } from "../html.js";
import { putPost } from "../state/entities.js";
import { listOf } from "../state/lists.js";
import { Infinite } from "./infinite.js";
import { PostCard } from "./post_card.js";

export function PostList({ path, empty, label, isLive = false }) {
  const list = listOf(path, putPost);
  return html`<${Infinite} key=${path} list=${list} label=${label} isLive=${isLive} empty=${empty} row=${(id) => html`<${PostCard} key=${id} id=${id} />`} />`;
}
