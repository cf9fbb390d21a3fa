// A list read in pages: skeletons first, the next page before the end comes into sight, the same place on going back.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { restoreScroll, route } from "../state/router.js";
import { Skeleton, Spinner } from "./skeleton.js";
import { Failed } from "./states.js";

const FIRST = 5; // as many as a screen shows: the others follow in later tasks, so that none takes long
const OLD = 30_000; // what was read so long ago is read again, except on the way back
const LONG = 10; // from so many rows on it is worth saying that there are no more

/** `list` is of state/lists.js; `row(item)` renders one; `empty` is shown when there is none; `isLive`: what is new is told. */
export function Infinite({ list, row, empty, skeleton = "post", label, isLive = false }) {
  const end = useRef(null);
  const items = list.items.value;
  const shown = useInSteps(items.length);
  const rows = useRows(row);
  useLayoutEffect(() => {
    list.load(); // before the paint: what is there already never flickers
    const isOld = list.status.peek() === "ready" && Date.now() - list.readAt > OLD;
    if (isOld && !isLive && !route.peek().isBack && navigator.onLine) list.refresh();
  }, [list]);
  useEffect(() => {
    // Again for each page: whoever is back at the end before the browser looked would wait for ever.
    const watcher = new IntersectionObserver(([entry]) => entry.isIntersecting && list.more(), { rootMargin: "900px" });
    watcher.observe(end.current);
    return () => watcher.disconnect();
  }, [list, items.length]);
  const status = list.status.value;
  const isThere = items.length > 0;
  useLayoutEffect(() => {
    if (route.peek().isBack && isThere) restoreScroll();
  }, [list, isThere]);
  const busy = status === "loading" || status === "more";
  return html`<div class="list" tabindex="-1">
    ${items.length > 0 && html`<div class="list-rows" role="feed" aria-label=${label} aria-busy=${busy}>${items.slice(0, shown).map(rows)}</div>`}
    ${(status === "new" || status === "loading") && !items.length && html`<${Skeleton} kind=${skeleton} number=${4} />`}
    ${status === "ready" && !items.length && empty}
    ${status === "failed" && html`<${Failed} problem=${list.problem.value} onRetry=${list.retry} />`}
    ${status === "more" && html`<div class="list-more"><${Spinner} /></div>`}
    ${status === "ready" && items.length >= LONG && !list.hasMore && html`<p class="list-end">${t("list.end")}</p>`}
    <div ref=${end} class="list-sentinel"></div>
  </div>`;
}

/** How many rows to show: a few at first, then more; all at once on the way back, which needs the whole height. */
function useInSteps(wanted) {
  const [shown, setShown] = useState(() => (route.peek().isBack ? Infinity : FIRST));
  useEffect(() => {
    if (shown >= wanted) return undefined;
    const timer = setTimeout(() => setShown(shown + FIRST));
    return () => clearTimeout(timer);
  }, [shown, wanted]);
  return shown;
}

/** Renders rows, and answers the same object for the same item, so that only new ones are compared with the page. */
function useRows(row) {
  const kept = useRef({ row, rows: new Map() });
  if (kept.current.row !== row) kept.current = { row, rows: new Map() };
  return (item) => {
    const { rows } = kept.current;
    if (!rows.has(item)) rows.set(item, row(item));
    return rows.get(item);
  };
}
