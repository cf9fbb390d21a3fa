// Following, blocking and muting: shown at once, taken back when the server refuses.
import { get, post } from "../api/client.js";
import { profile, user } from "../api/session.js";
import { t } from "../i18n/i18n.js";
import { comments, people, posts } from "./entities.js";
import { needsAccount } from "./posts.js";
import { ask } from "./dialogs.js";
import { forgetLists, listsUnder } from "./lists.js";
import { route } from "./router.js";
import { complain, toast } from "./toasts.js";
import { putInTurn } from "./turns.js";

export const isMe = (id) => user.value?.id === id;

async function change(id, verb, on, guess) {
  const before = people.of(id).peek();
  people.change(id, (person) => ({ relationship: { ...person.relationship, ...guess } }));
  try {
    const { answer: relationship, isLast } = await putInTurn(`/profiles/${id}/${verb}`, { on });
    if (isLast) people.change(id, { relationship });
    return relationship;
  } catch (problem) {
    if (before) people.of(id).value = before;
    complain(problem);
    return null;
  }
}

/** Follows, unfollows, or asks to follow a private profile. */
export async function toggleFollow(id) {
  if (!needsAccount()) return;
  const person = people.of(id).peek();
  const { following, requested } = person.relationship || {};
  if (following || requested) {
    if (person.is_private && following) {
      const sure = await ask({
        title: t("unfollow.title", { name: person.username }),
        text: t("unfollow.private"),
        yes: t("follow.unfollow"),
      });
      if (!sure) return;
    }
    const done = await change(id, "follow", false, { following: false, requested: false });
    if (done && following) count(id, -1);
  } else {
    const done = await change(id, "follow", true, person.is_private ? { requested: true } : { following: true });
    if (done && !person.is_private) count(id, 1);
  }
  await readHomeAgain();
}

/** Home has other posts now. Readers see how many, and keep their place. */
async function readHomeAgain() {
  if (route.peek().name !== "home") return forgetLists("/feed");
  const [list] = listsUnder("/feed");
  const page = await get("/feed").catch(() => ({ results: [] }));
  if (list) list.unseen.value = page.results.filter(({ id }) => !list.items.peek().includes(id)).length;
  return undefined;
}

function count(id, by) {
  people.change(id, (person) =>
    person.followers_count === undefined ? {} : { followers_count: Math.max(0, person.followers_count + by) },
  );
  if (profile.value?.following_count !== undefined) {
    profile.value = { ...profile.value, following_count: Math.max(0, profile.value.following_count + by) };
  }
}

export async function toggleMute(id) {
  if (!needsAccount()) return;
  const muting = people.of(id).peek()?.relationship?.muting;
  const done = await change(id, "mute", !muting, { muting: !muting });
  if (!done) return;
  toast(t(muting ? "mute.off" : "mute.on"));
  if (!muting) takeFromFeeds(id);
}

/** What somebody wrote or reposted who is muted by now leaves home and explore. */
function takeFromFeeds(id) {
  for (const list of [...listsUnder("/feed"), ...listsUnder("/explore")]) {
    for (const item of list.items.peek()) {
      const post = posts.of(item).peek();
      if ([post?.author.id, post?.reposted_by?.id].includes(id)) list.drop(item);
    }
  }
}

export async function toggleBlock(id) {
  if (!needsAccount()) return;
  const person = people.of(id).peek();
  const blocking = person?.relationship?.blocking;
  if (!blocking) {
    const title = t("block.title", { name: person.username });
    if (!(await ask({ title, text: t("block.text"), yes: t("block.do"), danger: true }))) return;
  }
  const done = await change(id, "block", !blocking, { blocking: !blocking, following: false });
  if (done) {
    toast(t(blocking ? "block.off" : "block.on"));
    if (!blocking) takeAway(id);
    forgetLists();
  }
}

/** What somebody wrote who is blocked by now leaves what is shown. */
function takeAway(id) {
  posts.goneWhere((post) => post.author.id === id);
  comments.goneWhere((comment) => comment.author?.id === id);
  for (const list of listsUnder("/")) list.items.peek().filter((item) => posts.of(item).peek() === null).forEach(list.drop);
}

/** The answers under way: the first counts. */
const answers = new Map();

/** Answers a request to follow the caller; whether it was accepted. */
export function answerRequest(id, accept) {
  if (!answers.has(id)) {
    const sent = post(`/follow-requests/${id}/${accept ? "accept" : "reject"}`).then(() => accept);
    answers.set(id, sent.finally(() => answers.delete(id)));
  }
  return answers.get(id);
}
