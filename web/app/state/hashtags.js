// Hashtags that many write about now.
import { get } from "../api/client.js";

/** `{name, posts_count}` of each; servers before 0.2 call the name `tag`. */
export async function trending(limit) {
  const page = await get(`/hashtags/trending?limit=${limit}`, { anonymous: true });
  return page.results.map((each) => ({ name: each.name ?? each.tag, posts_count: each.posts_count }));
}
