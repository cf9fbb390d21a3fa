// A post with its threaded comments; a deep link unfolds the way to one comment.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { get } from "../api/client.js";
import { signedIn } from "../api/session.js";
import { posts, putComment } from "../state/entities.js";
import { listOf } from "../state/lists.js";
import { loadPost } from "../state/posts.js";
import { route } from "../state/router.js";
import { Comment } from "../components/comment.js";
import { CommentForm } from "../components/comment_form.js";
import { Infinite } from "../components/infinite.js";
import { Page } from "../components/page.js";
import { PostCard } from "../components/post_card.js";
import { useReading } from "../components/reading.js";
import { Skeleton } from "../components/skeleton.js";
import { Empty, Failed } from "../components/states.js";

const SORTS = ["top", "newest", "oldest"];
const DEEPEST = 40;
const FRESH_AFTER = 1_000; // several comments in quick succession are read at once

export function Post() {
  const { params, query } = route.value;
  return html`<${Thread} key=${params.id} id=${params.id} wanted=${query.get("comment") || ""} replying=${query.has("reply")} />`;
}

function Thread({ id, wanted, replying }) {
  const [problem, read] = useReading(() => loadPost(id));
  useEffect(() => void read(), [id]);
  const post = posts.of(id).value;
  const gone = post === null || problem?.status === 404;
  const title = post ? t("post.by", { name: post.author.full_name || post.author.username }) : t("post.title");
  return html`<${Page} title=${title} withBack name="post">
    ${gone && html`<${Empty} icon="eyeOff" title=${t("post.gone.title")} text=${t("post.gone.text")} />`}
    ${!gone && !post && problem && html`<${Failed} problem=${problem} onRetry=${read} />`}
    ${!gone && !post && !problem && html`<${Skeleton} number=${1} />`}
    ${!gone && post && html`
      <${PostCard} id=${id} large />
      <${Comments} post=${post} wanted=${wanted} replying=${replying} />
    `}
  <//>`;
}

function Comments({ post, wanted, replying }) {
  const [sort, setSort] = useState("oldest");
  const [path, setPath] = useState(null);
  const list = listOf(`/posts/${post.id}/comments?sort=${sort}`, putComment);
  useEffect(() => {
    if (wanted) pathTo(wanted).then(setPath, () => setPath([]));
    else setPath([]);
  }, [wanted]);
  useEffect(() => {
    if (path?.length) list.load().then(() => list.prepend(path[0]));
  }, [path, list]);
  useFresh(list, post.comments_count);
  const added = (id) => list.load().then(() => (sort === "oldest" ? list.append(id) : list.prepend(id)));
  const empty = html`<${Empty} icon="comment" title=${t("comments.empty.title")} text=${post.comments_locked ? "" : t("comments.empty.text")} />`;
  return html`<section class="comments" aria-label=${t("comments.title")}>
    ${post.comments_locked && html`<p class="notice">${t("problem.comments_locked")}</p>`}
    ${signedIn.value && !post.comments_locked && html`<div class="comments-form"><${CommentForm} postId=${post.id} focused=${replying} onDone=${added} /></div>`}
    <div class="comments-head">
      <h2>${t("comments.count", { count: post.comments_count })}</h2>
      ${post.comments_count > 1 && html`<label class="select">${t("comments.sort")} <select value=${sort} onChange=${(event) => setSort(event.currentTarget.value)}>${SORTS.map((each) => html`<option value=${each}>${t(`comments.${each}`)}</option>`)}</select></label>`}
    </div>
    ${path !== null && html`<${Infinite} key=${list.path} list=${list} label=${t("comments.title")} isLive skeleton="person" empty=${empty} row=${(id) => html`<${Comment} key=${id} id=${id} path=${path} postAuthor=${post.author.id} />`} />`}
  </section>`;
}

/** Reads the comments again when their number has changed. Not where there is a next page, so that nobody loses their place. */
function useFresh(list, number) {
  const known = useRef(number);
  useEffect(() => {
    if (number === known.current) return undefined;
    const timer = setTimeout(() => {
      known.current = number;
      if (list.status.peek() === "ready" && !list.hasMore && navigator.onLine) list.refresh();
    }, FRESH_AFTER);
    return () => clearTimeout(timer);
  }, [list, number]);
}

/** The ids from the top-level comment down to the wanted one. */
async function pathTo(id) {
  const path = [];
  for (let at = id; at && path.length < DEEPEST; ) {
    const comment = await get(`/comments/${at}`);
    putComment(comment);
    path.unshift(comment.id);
    at = comment.parent_comment_id;
  }
  return path;
}
