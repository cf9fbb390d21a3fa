// The address of a comment alone: goes on to its post.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { get } from "../api/client.js";
import { go, route } from "../state/router.js";
import { Skeleton } from "../components/skeleton.js";
import { NotFound } from "./not_found.js";

export function View() {
  const [missing, setMissing] = useState(false);
  const { id } = route.value.params;
  useEffect(() => {
    get(`/comments/${id}`).then(
      (comment) => go(`/posts/${comment.post_id}?comment=${id}`, { replace: true }),
      () => setMissing(true),
    );
  }, [id]);
  return missing ? html`<${NotFound} />` : html`<${Skeleton} number=${1} />`;
}
