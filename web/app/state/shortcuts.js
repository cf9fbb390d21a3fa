// Keyboard shortcuts. They rest while somebody types, and can be switched off (WCAG 2.1.4).
import { go } from "./router.js";
import { dialogs, open } from "./dialogs.js";
import { profile, signedIn } from "../api/session.js";
import { react, toggleBookmark, toggleRepost } from "./posts.js";
import { posts } from "./entities.js";

const GO_WITHIN = 1_500;
const HEAD = 56; // pixels at the top of the window where the heading of the page covers posts
let goUntil = 0;

export const shortcutsOn = () => localStorage.getItem("shortcuts") !== "off";

export function startShortcuts() {
  document.addEventListener("keydown", pressed);
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !shortcutsOn()) return;
  if (event.target.closest("input, textarea, select, [contenteditable], [role=menu]") || dialogs.peek().length) return;
  const run = Date.now() < goUntil ? places[event.key] : keys[event.key];
  goUntil = event.key === "g" ? Date.now() + GO_WITHIN : 0;
  if (!run) return;
  event.preventDefault();
  run();
}

const places = {
  h: () => go("/"),
  e: () => go("/explore"),
  n: () => go("/notifications"),
  b: () => go("/bookmarks"),
  s: () => go("/settings"),
  p: () => profile.value && go(`/@${profile.value.username}`),
};

const keys = {
  j: () => step(1),
  k: () => step(-1),
  n: () => signedIn.value && open("compose"),
  "/": () => focusSearch(),
  "?": () => open("shortcuts"),
  l: () => withPost((id) => react("post", id, posts.of(id).peek().my_reaction ? null : "like")),
  t: () => withPost(toggleRepost),
  b: () => withPost(toggleBookmark),
  r: () => withPost((id) => go(`/posts/${id}?reply`)),
  o: () => withPost((id) => go(`/posts/${id}`)),
};

function focusSearch() {
  const all = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("input[type=search]"))];
  const field = all.find((each) => each.offsetParent);
  if (field) field.focus();
  else go("/search");
}

function step(by) {
  const all = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("main [data-post]"))];
  const at = all.indexOf(focused());
  const next = at < 0 ? all.find((each) => each.getBoundingClientRect().bottom > HEAD) : all[at + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

/** @returns {HTMLElement | null} The post that has the focus, or what in it has. */
function focused() {
  return document.activeElement?.closest("[data-post]");
}

function withPost(run) {
  const id = focused()?.dataset.post;
  if (id) run(id);
}
