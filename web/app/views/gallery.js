// Every component in its states, for whoever works on them.
import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { people, posts, putPost } from "../state/entities.js";
import { setTitle } from "../state/title.js";
import { toast } from "../state/toasts.js";
import { ask } from "../state/dialogs.js";
import { Avatar } from "../components/avatar.js";
import { Choice, Field, Toggle } from "../components/field.js";
import { Menu } from "../components/menu.js";
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
const THEMES = ["light", "dark"];

export function View() {
  useEffect(() => {
    setTitle(t("gallery.title"));
    people.put({ ...ADA, relationship: { following: false } });
    people.put({ ...ADA, id: "2", username: "charles", full_name: "", is_private: true, relationship: { following: true } });
    putPost(POST);
    putPost({ ...POST, id: "2", content_warning: "Spoilers", my_reaction: null, edited: true });
    putPost({ ...POST, id: "3", is_private: true, content: "A long word: ".padEnd(400, "x"), reposted_by: ADA });
    return () => posts.clear();
  }, []);
  return html`<div class="gallery">
    <h1>${t("gallery.title")}</h1>
    ${SECTIONS.map(([title, content]) => html`<section key=${title}><h2>${title}</h2>${content()}</section>`)}
    <p>${THEMES.map((theme) => html`<button class="chip" onClick=${() => (document.documentElement.dataset.theme = theme)}>${theme}</button> `)}</p>
  </div>`;
}

const SECTIONS = [
  ["Buttons", () => html`<div class="gallery-row">
    <button class="button button-primary">Primary</button><button class="button">Plain</button><button class="button button-quiet">Quiet</button>
    <button class="button button-danger">Danger</button><button class="button button-primary" disabled>Disabled</button><button class="link">Link</button>
    <button class="chip" aria-pressed="true">Pressed</button><button class="chip">Chip</button>
    <${Menu} label="Menu" items=${[{ label: "Edit", icon: "pen" }, { label: "Delete", icon: "trash", danger: true }]} />
  </div>`],
  ["Avatars", () => html`<div class="gallery-row">${["small", "medium", "huge"].map((size) => html`<${Avatar} person=${ADA} size=${size} />`)}<${Avatar} person=${{ username: "zoë" }} /><${Avatar} person=${{ username: "x", full_name: "山田 花子" }} /></div>`],
  ["Fields", () => html`<${Field} label="Name" hint="A hint" value="Ada" /><${Field} label="Password" type="password" value="secret" error="Too short." /><${Toggle} label="Switch" hint="A hint" checked=${true} onChange=${() => null} /><${Choice} label="Choice" value="a" options=${[["a", "First"], ["b", "Second"]]} onChange=${() => null} />`],
  ["Posts", () => html`<div>${["1", "2", "3"].map((id) => html`<${PostCard} key=${id} id=${id} />`)}</div>`],
  ["People", () => html`<div>${["1", "2"].map((id) => html`<${PersonRow} key=${id} id=${id} />`)}</div>`],
  ["Tabs", () => html`<${Tabs} label="Tabs" tabs=${[["/about/components", "Here"], ["/about/components?b", "There"]]} current="/about/components" />`],
  ["Loading", () => html`<${Skeleton} number=${1} /><${Skeleton} kind="person" number=${1} /><${Spinner} />`],
  ["Empty and failed", () => html`<${Empty} title="Nothing here" text="What to do about it." /><${Failed} problem=${{ status: 500 }} onRetry=${() => null} />`],
  ["Messages", () => html`<div class="gallery-row"><button class="button" onClick=${() => toast("Done.", { action: { label: "Undo", run: () => null } })}>Toast</button><button class="button" onClick=${() => ask({ title: "Sure?", text: "It cannot be undone.", yes: "Yes", danger: true })}>Dialog</button></div>`],
];
