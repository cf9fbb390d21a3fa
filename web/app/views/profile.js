// A person's page: who they are, their posts and pictures, followers and following.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { count, month, t } from "../i18n/i18n.js";
import { get } from "../api/client.js";
import { profile as own, signedIn } from "../api/session.js";
import { open } from "../state/dialogs.js";
import { people, posts, putPerson, putPost } from "../state/entities.js";
import { listOf } from "../state/lists.js";
import { actOn } from "../state/moderation.js";
import { isMe, toggleBlock, toggleMute } from "../state/people.js";
import { copyLink } from "../state/posts.js";
import { route } from "../state/router.js";
import { Avatar } from "../components/avatar.js";
import { FollowButton } from "../components/follow_button.js";
import { Icon } from "../components/icon.js";
import { Infinite } from "../components/infinite.js";
import { Menu } from "../components/menu.js";
import { Page } from "../components/page.js";
import { PeopleList } from "../components/people_list.js";
import { PostCard } from "../components/post_card.js";
import { PostList } from "../components/post_list.js";
import { RichText } from "../components/rich_text.js";
import { useReading } from "../components/reading.js";
import { Skeleton } from "../components/skeleton.js";
import { Empty, Failed } from "../components/states.js";
import { Tabs } from "../components/tabs.js";

export function Profile() {
  const { username } = route.value.params;
  return html`<${Person} key=${username.toLowerCase()} username=${username} />`;
}

function Person({ username }) {
  const [id, setId] = useState(() => people.find((known) => known.username === username && known.created_at));
  const [problem, read] = useReading(async () => setId(putPerson(await get(`/profiles/by-username/${encodeURIComponent(username)}`))));
  useEffect(() => void read(), [username, signedIn.value]);
  const person = id && people.of(id).value;
  if (problem?.status === 404) {
    return html`<${Page} title="@${username}" withBack><${Empty} icon="user" title=${t("profile.gone.title")} text=${t("profile.gone.text")} /><//>`;
  }
  if (problem && !person) return html`<${Page} title="@${username}" withBack><${Failed} problem=${problem} onRetry=${read} /><//>`;
  if (!person) return html`<${Page} title="@${username}" withBack><${Skeleton} number=${3} /><//>`;
  return html`<${Page} title=${person.full_name || person.username} withBack name="profile">
    <${Head} person=${person} />
    <${Content} person=${person} />
  <//>`;
}

/** @param {{person: import("#api").Person}} properties */
function Head({ person }) {
  const mine = isMe(person.id);
  const shown = mine && own.value ? { ...person, ...own.value } : person;
  const known = person.relationship;
  const items = [
    { label: t("link.copy"), icon: "link", run: () => copyLink(`${location.origin}/@${person.username}`) },
    !mine && signedIn.value && { label: t(known?.muting ? "mute.undo" : "mute.do", { name: person.username }), icon: "mute", run: () => toggleMute(person.id) },
    !mine && signedIn.value && { label: t(known?.blocking ? "block.undo" : "block.do_name", { name: person.username }), icon: "block", run: () => toggleBlock(person.id), danger: true },
    !mine && signedIn.value && { label: t("report.do"), icon: "flag", run: () => open("report", { target: "user", id: person.id }), danger: true },
    !mine && actOn("user", person.id),
  ];
  return html`<section class="profile" aria-label=${person.username}>
    ${shown.header_picture && html`<img class="profile-header" src=${shown.header_picture} alt="" decoding="async" />`}
    <div class="profile-top">
      <${Avatar} person=${shown} size="huge" />
      <div class="profile-actions">
        <${Menu} label=${t("profile.more")} items=${items} kind="icon-button icon-button-outlined" />
        ${mine ? html`<a class="button" href="/settings/profile">${t("profile.edit")}</a>` : html`<${FollowButton} id=${person.id} />`}
      </div>
    </div>
    <p class="profile-name"><bdi>${shown.full_name || person.username}</bdi> ${person.is_private && html`<span title=${t("profile.private")}><${Icon} name="lock" size=${18} /><span class="unseen">${t("profile.private")}</span></span>`}</p>
    <p class="handle"><bdi dir="ltr">@${person.username}</bdi> ${known?.followed_by && html`<span class="badge">${t("profile.follows_you")}</span>`} ${known?.muting && html`<span class="badge">${t("profile.muted")}</span>`}</p>
    ${shown.bio && html`<p class="profile-bio"><${RichText} text=${shown.bio} /></p>`}
    <p class="handle">${t("profile.joined", { month: month(person.created_at) })}</p>
    <p class="profile-counts">
      <a href="/@${person.username}/following"><strong>${count(shown.following_count || 0)}</strong> ${t("profile.following", { count: shown.following_count || 0 })}</a>
      <a href="/@${person.username}/followers"><strong>${count(person.followers_count || 0)}</strong> ${t("profile.followers", { count: person.followers_count || 0 })}</a>
    </p>
  </section>`;
}

/** @param {{person: import("#api").Person}} properties */
function Content({ person }) {
  const tab = route.value.params.tab || "posts";
  const base = `/@${person.username}`;
  const tabs = [[base, t("profile.tab.posts")], [`${base}/media`, t("profile.tab.media")], [`${base}/followers`, t("profile.tab.followers")], [`${base}/following`, t("profile.tab.following")]];
  const { following, requested, blocking } = person.relationship || {};
  const locked = person.is_private && !following && !isMe(person.id);
  const empty = (key, icon) => html`<${Empty} icon=${icon} title=${t(key, { name: person.username })} />`;
  return html`
    <${Tabs} label=${person.username} tabs=${tabs} current=${tab === "posts" ? base : `${base}/${tab}`} />
    ${blocking && html`<${Empty} icon="block" title=${t("profile.blocked", { name: person.username })} />`}
    ${!blocking && locked && html`<${Empty} icon="lock" title=${t("profile.locked.title")} text=${t(requested ? "profile.locked.requested" : "profile.locked.text", { name: person.username })} />`}
    ${!blocking && !locked && tab === "posts" && html`<${PostList} path="/profiles/${person.id}/posts" label=${t("profile.tab.posts")} empty=${empty("profile.empty.posts", "pen")} />`}
    ${!blocking && !locked && tab === "media" && html`<${WithMedia} path="/profiles/${person.id}/posts" empty=${empty("profile.empty.media", "image")} />`}
    ${!blocking && !locked && tab === "followers" && html`<${PeopleList} path="/profiles/${person.id}/followers" label=${t("profile.tab.followers")} empty=${empty("profile.empty.followers", "people")} />`}
    ${!blocking && !locked && tab === "following" && html`<${PeopleList} path="/profiles/${person.id}/following" label=${t("profile.tab.following")} empty=${empty("profile.empty.following", "people")} />`}
  `;
}

function WithMedia({ path, empty }) {
  const list = listOf(path, putPost);
  const has = list.items.value.some((id) => posts.of(id).value?.media?.length);
  if (list.status.value === "ready" && !list.hasMore && !has) return empty;
  return html`<${Infinite} list=${list} label=${t("profile.tab.media")} empty=${empty} row=${(id) => posts.of(id).value?.media?.length > 0 && html`<${PostCard} key=${id} id=${id} />`} />`;
}
