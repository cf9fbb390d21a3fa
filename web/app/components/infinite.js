// A list read in pages: skeletons first, the next page before the end comes into sight, the same place on going back.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { restoreScroll, route } from "../state/router.js";
import { Skeleton, Spinner } from "./skeleton.js";
import { Failed } from "./states.js";

/** `list` is of state/lists.js; `row(item)` renders one; `empty` is shown when there is none. */
export function Infinite({ list, row, empty, skeleton = "post", label }) {
  const end = useRef(null);
  const items = list.items.value;
  useEffect(() => void list.load(), [list]);
  useEffect(() => {
    // Again for each page: whoever is back at the end before the browser looked would wait for ever.
    const watcher = new IntersectionObserver(([entry]) => entry.isIntersecting && list.more(), { rootMargin: "900px" });
    watcher.observe(end.current);
    return () => watcher.disconnect();
  }, [list, items.length]);
  const status = list.status.value;
  useLayoutEffect(() => {
    if (route.peek().isBack && list.items.peek().length) restoreScroll();
  }, [list]);
  return html`<div class="list" role=${items.length ? "feed" : "group"} aria-label=${label} aria-busy=${status === "loading" || status === "more"}>
    ${items.map((item) => row(item))}
    ${(status === "new" || status === "loading") && !items.length && html`<${Skeleton} kind=${skeleton} number=${4} />`}
    ${status === "ready" && !items.length && empty}
    ${status === "failed" && html`<${Failed} problem=${list.problem.value} onRetry=${() => (items.length ? list.more() : list.load())} />`}
    ${status === "more" && html`<div class="list-more"><${Spinner} /></div>`}
    ${status === "ready" && items.length > 0 && !list.hasMore && html`<p class="list-end">${t("list.end")}</p>`}
    <div ref=${end} class="list-sentinel"></div>
  </div>`;
}
