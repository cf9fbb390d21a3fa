// Every component in its states, for whoever works on them.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { comments, people, posts, putComment, putFeedPost, putPost } from "../state/entities.js";
import { putNotification } from "../state/notifications.js";
import { setTitle } from "../state/title.js";
import { toast } from "../state/toasts.js";
import { ask } from "../state/dialogs.js";
import { Avatar } from "../components/avatar.js";
import { Comment } from "../components/comment.js";
import { Composer } from "../components/composer.js";
import { Choice, Field, Toggle } from "../components/field.js";
import { MediaGrid } from "../components/media_grid.js";
import { Menu } from "../components/menu.js";
import { NotificationRow } from "../components/notification_row.js";
import { PersonRow } from "../components/person_row.js";
import { PostCard } from "../components/post_card.js";
import { Skeleton, Spinner } from "../components/skeleton.js";
import { Empty, Failed } from "../components/states.js";
import { Tabs } from "../components/tabs.js";

const ADA = { id: "1", username: "ada", full_name: "Ada Lovelace", bio: "Notes on an engine that weaves patterns.", profile_picture: null };
const POST = {
  id: "1",
  author: ADA,
  content: "Hello #world! More at https://example.org/notes?page=1 and from @ada.",
  media: [],
  mentions: [{ id: "1", username: "ada" }],
  hashtags: ["world"],
  reactions: { like: 3, love: 2, haha: 0, sad: 0, angry: 0 },
  my_reaction: "love",
  comments_count: 2,
  reposts_count: 1,
  bookmarked: true,
  edited: false,
  created_at: "2026-11-01T10:00:00.000Z",
};
const PICTURE = {
  id: "1",
  type: "image",
  status: "ready",
  url: "/static/favicon.svg",
  preview_url: "/static/favicon.svg",
  sizes: {},
  width: 640,
  height: 400,
  blurhash: "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
  description: "A logo",
};
const PREVIEW = { url: "https://example.org/notes", title: "Notes on the engine", description: "What it can weave, and what it cannot.", site_name: "Example", image: null };
const COMMENT = { id: "1", post_id: "1", parent_comment_id: null, author: ADA, content: "It can do whatever we know how to order it to perform.", depth: 0, replies_count: 2, reactions: POST.reactions, my_reaction: null, edited: true, created_at: POST.created_at, updated_at: POST.created_at };
const NOTE = { id: "1", kind: "reaction", message: "", actors: [ADA], actors_count: 3, target: { type: "post", id: "1" }, is_read: false, created_at: POST.created_at };
const STRANGER = { following: false, followed_by: false, requested: false, blocking: false, muting: false };
const THEMES = ["light", "dark"];

export function View() {
  const [ready, setReady] = useState(false);
  useEffect(() => {
    setTitle(t("gallery.title"));
    people.put({ ...ADA, relationship: STRANGER });
    people.put({ ...ADA, id: "2", username: "charles", full_name: "", is_private: true, relationship: { ...STRANGER, following: true } });
    putPost(POST);
    putPost({ ...POST, id: "2", content_warning: "Spoilers", my_reaction: null, edited: true });
    putFeedPost({ ...POST, id: "3", is_private: true, content: "A long word: ".padEnd(400, "x"), reposted_by: ADA });
    putPost({ ...POST, id: "4", content: "A link with its preview", link_preview: PREVIEW });
    putComment(COMMENT);
    putComment({ ...COMMENT, id: "2", author: null, content: "", replies_count: 0 });
    putNotification(NOTE);
    putNotification({ ...NOTE, id: "2", kind: "follow_request", actors_count: 1, target: null });
    putNotification({ ...NOTE, id: "3", kind: "moderation", message: "A moderator removed your post.", actors: [], action_id: "1", is_read: true });
    setReady(true);
    return () => [posts, comments, people].forEach((store) => store.clear());
  }, []);
  return html`<div class="gallery">
    <h1>${t("gallery.title")}</h1>
    <p class="chips">${THEMES.map((theme) => html`<button key=${theme} class="chip" onClick=${() => (document.documentElement.dataset.theme = theme)}>${theme}</button>`)}</p>
    ${ready && SECTIONS.map(([title, content]) => html`<section key=${title}><h2>${title}</h2>${content()}</section>`)}
  </div>`;
}

/** @type {[string, () => any][]} */
const SECTIONS = [
  ["Buttons", () => html`<div class="gallery-row">
    <button class="button button-primary">Primary</button><button class="button">Plain</button><button class="button button-quiet">Quiet</button>
    <button class="button button-danger">Danger</button><button class="button button-primary" disabled>Disabled</button><button class="link">Link</button>
    <button class="chip" aria-pressed="true">Pressed</button><button class="chip">Chip</button>
    <${Menu} label="Menu" items=${[{ label: "Edit", icon: "pen" }, { label: "Delete", icon: "trash", danger: true }]} />
  </div>`],
  ["Avatars", () => html`<div class="gallery-row">${["small", "medium", "huge"].map((size) => html`<${Avatar} person=${ADA} size=${size} />`)}<${Avatar} person=${{ username: "zoë" }} /><${Avatar} person=${{ username: "x", full_name: "山田 花子" }} /></div>`],
  ["Fields", () => html`<${Field} label="Name" hint="A hint" value="Ada" /><${Field} label="Password" type="password" value="secret" error="Too short." /><${Toggle} label="Switch" hint="A hint" checked=${true} onChange=${() => null} /><${Choice} label="Choice" value="a" options=${[["a", "First"], ["b", "Second"]]} onChange=${() => null} />`],
  ["Posts", () => html`<div>${["1", "2", "3", "4"].map((id) => html`<${PostCard} key=${id} id=${id} withReposter />`)}</div>`],
  ["Media", () => html`<${MediaGrid} media=${[PICTURE]} sensitive=${false} /><${MediaGrid} media=${[PICTURE, { ...PICTURE, id: "2" }]} sensitive />`],
  ["Comments", () => html`<div>${["1", "2"].map((id) => html`<${Comment} key=${id} id=${id} postAuthor="1" />`)}</div>`],
  ["Notifications", () => html`<div>${["1", "2", "3"].map((id) => html`<${NotificationRow} key=${id} id=${id} />`)}</div>`],
  ["Composer", () => html`<${Composer} place="gallery" />`],
  ["People", () => html`<div>${["1", "2"].map((id) => html`<${PersonRow} key=${id} id=${id} />`)}</div>`],
  ["Tabs", () => html`<${Tabs} label="Tabs" tabs=${[["/about/components", "Here"], ["/about/components?b", "There"]]} current="/about/components" />`],
  ["Loading", () => html`<${Skeleton} number=${1} /><${Skeleton} kind="person" number=${1} /><${Spinner} />`],
  ["Empty and failed", () => html`<${Empty} title="Nothing here" text="What to do about it." /><${Failed} problem=${{ status: 500 }} onRetry=${() => null} />`],
  ["Messages", () => html`<div class="gallery-row"><button class="button" onClick=${() => toast("Done.", { action: { label: "Undo", run: () => null } })}>Toast</button><button class="button" onClick=${() => ask({ title: "Sure?", text: "It cannot be undone.", yes: "Yes", danger: true })}>Dialog</button></div>`],
];
