// A list of posts from a path of the API.
import { html } from "../html.js";
import { putFeedPost, putPost } from "../state/entities.js";
import { listOf } from "../state/lists.js";
import { Infinite } from "./infinite.js";
import { PostCard } from "./post_card.js";

/** `isFeed`: it is told what is new, and the posts say who reposted them. */
export function PostList({ path, empty, label, isFeed = false }) {
  const list = listOf(path, isFeed ? putFeedPost : putPost);
  return html`<${Infinite} key=${path} list=${list} label=${label} isLive=${isFeed} empty=${empty} row=${(id) => html`<${PostCard} key=${id} id=${id} withReposter=${isFeed} />`} />`;
}
