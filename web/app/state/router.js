// Addresses and views: the History API, links caught in one place, and the scroll position of each page kept.
import { signal } from "@preact/signals";
import { canMove } from "./appearance.js";

/** name → view module and pattern. `:x` is one segment. Views that the first page rarely needs load when asked for. */
const ROUTES = [
  ["home", "/"],
  ["explore", "/explore"],
  ["hashtag", "/hashtags/:tag"],
  ["search", "/search"],
  ["notifications", "/notifications"],
  ["requests", "/follow-requests"],
  ["bookmarks", "/bookmarks"],
  ["compose", "/compose"],
  ["post", "/posts/:id"],
  ["comment", "/comments/:id"],
  ["person", "/profiles/:id"],
  ["profile", "/@:username"],
  ["profile", "/@:username/:tab"],
  ["settings", "/settings"],
  ["settings", "/settings/:section"],
  ["login", "/login"],
  ["signup", "/signup"],
  ["forgot", "/forgot"],
  ["reset", "/reset-password"],
  ["verify", "/verify-email"],
  ["social", "/social/:provider"],
  ["erasure", "/erasures/:id"],
  ["gallery", "/about/components"],
].map(([name, pattern]) => ({
  name,
  pattern: new RegExp(`^${pattern.replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`),
}));

/**
 * The present one.
 * @type {import("@preact/signals").Signal<{name: string, params: Record<string, string>, query: URLSearchParams, path: string, isBack?: boolean, hash?: string}>}
 */
export const route = signal({ name: "", params: {}, query: new URLSearchParams(), path: "" });
const leaving = new Set();
/** Ways in: whoever has come in goes on where they were before. */
const ENTRIES = new Set(["login", "signup", "forgot", "reset", "verify", "social"]);
let lastPlace = "/";
/** Where the present page stood when it was left, as `rememberScroll` noted it. */
let left = null;

export function startRouter() {
  history.scrollRestoration = "manual";
  addEventListener("popstate", () => show(true));
  document.addEventListener("click", follow);
  addEventListener("scrollend", rememberScroll); // when a page is closed it is too late
  useMailedLink();
  show(isReturn());
}

/** Whether the browser has been at this entry of its history before, and the page there was closed meanwhile. */
function isReturn() {
  const [loading] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  return loading?.type === "reload" || loading?.type === "back_forward";
}

/** Mails link to `/#/verify-email?key=…`, so that keys are in no server's log. */
function useMailedLink() {
  if (location.hash.startsWith("#/")) history.replaceState(null, "", location.hash.slice(1));
}

/** Goes to an address of the client; `stays` where it is another part of the same page. */
export function go(address, { replace = false, stays = false } = {}) {
  if (!replace) rememberScroll();
  history[replace ? "replaceState" : "pushState"](null, "", address);
  show(false, stays);
}

/** Goes on where somebody was before they logged in. */
export function goOn() {
  go(lastPlace, { replace: true });
}

/** One page back, or home for who came here from elsewhere. */
export function back() {
  const { navigation } = /** @type {any} */ (globalThis);
  if (navigation ? navigation.canGoBack : history.length > 1) history.back();
  else go("/");
}

/** Calls `listener` before another page is shown. */
export function onLeave(listener) {
  leaving.add(listener);
  return () => leaving.delete(listener);
}

/** Goes to where the page stood when it was left: to the post at the top, for heights are guesses until they are seen. */
export function restoreScroll() {
  const { scroll = 0, post = "", offset = 0 } = left || {};
  const place = () => {
    const element = post && document.querySelector(`main [data-post="${post}"]`);
    scrollTo(0, element ? element.getBoundingClientRect().top + scrollY - offset : scroll);
  };
  place();
  requestAnimationFrame(() => {
    place();
    requestAnimationFrame(place);
  });
}

function rememberScroll() {
  const all = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("main [data-post]"))];
  const top = scrollY > 0 && all.find((each) => each.getBoundingClientRect().bottom > 0);
  const anchor = top ? { post: top.dataset.post, offset: Math.round(top.getBoundingClientRect().top) } : {};
  history.replaceState({ scroll: Math.round(scrollY), ...anchor }, "");
}

function follow(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || link.target || link.hasAttribute("download")) return;
  if (link.origin !== location.origin || !match(link.pathname)) return;
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  if (link.href === location.href) scrollTo({ top: 0, behavior: canMove() ? "smooth" : "instant" });
  else go(link.pathname + link.search + link.hash, { stays: "stays" in link.dataset });
}

function match(path) {
  for (const { name, pattern } of ROUTES) {
    const found = pattern.exec(path);
    if (found) return { name, params: decoded(found.groups || {}) };
  }
  return null;
}

function decoded(params) {
  try {
    return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    return params;
  }
}

function show(isBack, stays = isBack) {
  for (const listener of leaving) listener();
  left = isBack ? history.state : null;
  const path = location.pathname.length > 1 ? location.pathname.replace(/\/$/, "") : "/";
  const found = match(path) || { name: "notFound", params: {} };
  route.value = { ...found, query: new URLSearchParams(location.search), path, isBack, hash: location.hash };
  if (!ENTRIES.has(found.name)) lastPlace = location.pathname + location.search;
  if (!stays) scrollTo(0, 0);
}
