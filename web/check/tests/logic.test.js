// What the client's modules do without a page: messages, links in texts, lists read in pages.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const answers = new Map();
const asked = [];
globalThis.document = /** @type {any} */ ({ addEventListener() {}, querySelector: () => null, title: "" });
globalThis.addEventListener = () => {};
globalThis.early = {};
globalThis.fetch = async (address) => {
  asked.push(address);
  const answer = answers.get(address);
  if (!answer) throw new TypeError("no connection");
  return new Response(JSON.stringify(answer), { status: answer.status || 200 });
};

const { format } = await import("../../app/i18n/messages.js");
const { initialsOf } = await import("../../app/components/avatar.js");
const { RichText } = await import("../../app/components/rich_text.js");
const { forgetLists, listOf } = await import("../../app/state/lists.js");

beforeEach(() => {
  answers.clear();
  asked.length = 0;
  forgetLists();
});

test("plurals, exact numbers and arguments are filled in", () => {
  const message = "{name} has {count, plural, =0 {no posts} one {# post} other {# posts}}";
  assert.equal(format(message, { name: "Ada", count: 0 }, "en"), "Ada has no posts");
  assert.equal(format(message, { name: "Ada", count: 1 }, "en"), "Ada has 1 post");
  assert.equal(format(message, { name: "Ada", count: 1200 }, "de"), "Ada has 1.200 posts");
  assert.equal(format("{kind, select, post {Post} other {Something}}", { kind: "comment" }, "en"), "Something");
});

/** The links of a text, as [address, text]. */
function links(text, mentions) {
  const span = RichText({ text, mentions });
  return span.props.children.flat().filter((piece) => piece?.type === "a").map(({ props }) => [props.href, [props.children].flat().join("")]);
}

test("links end before punctuation, hashtags need a letter, mentions need a person", () => {
  assert.deepEqual(links("See https://www.example.org/a?b=1. #Été2026 #42 a@b.example @ada @nobody", [{ id: "7", username: "Ada" }]), [
    ["https://www.example.org/a?b=1", "example.org/a?b=1"],
    [`/hashtags/${encodeURIComponent("été2026")}`, "#Été2026"],
    ["/profiles/7", "@ada"],
  ]);
  assert.deepEqual(links("谢谢@a.da, ＠bobさん é@bob x@bob #paral·lel ＃東京 #ハリー・ポッター: #メ〜テレ〜 #בית־ספר #וכו׳ #_1", [{ id: "8", username: "a.da" }, { id: "9", username: "bob" }]), [
    ["/profiles/8", "@a.da"],
    ["/profiles/9", "@bob"],
    ...["paral·lel", "東京", "ハリー・ポッター", "メ〜テレ", "בית־ספר", "וכו׳"].map((tag) => [`/hashtags/${encodeURIComponent(tag)}`, `#${tag}`]),
  ]);
  assert.deepEqual(links("javascript:alert(1) data:text/html,x xhttps://a.example"), []);
});

test("a name that goes on is somebody else's", () => {
  const known = [{ id: "9", username: "bob" }, { id: "8", username: "bob..eve" }];
  for (const text of ["@bob@other.example", "@bob:matrix.example", "npm i @bob/pkg", "@bobé", "@bobß", "@bob-example", "@bob.x@other.example", `@${"b".repeat(31)}`]) {
    assert.deepEqual(links(text), [], text);
    assert.deepEqual(links(text, known), [], text);
  }
  for (const text of ["@bob, @bob.", "❤\ufe0f@bob", "1\ufe0f\u20e3@bob", "@bob...and", "@bob: hi", "@bob/ -@bob- x", "@bobさん", "@bob/@eve"]) {
    assert.equal(links(text, known)[0]?.[0], "/profiles/9", text);
  }
  assert.deepEqual(links("@bob..eve", known), [["/profiles/8", "@bob..eve"]]);
});

test("initials are whole characters", () => {
  for (const [name, initials] of [
    ["Ada King Lovelace", "AL"],
    ["e\u0301mile zola", "E\u0301Z"],
    ["🇩🇪 Max", "🇩🇪M"],
    ["👨\u200d👩\u200d👧 smith", "👨\u200d👩\u200d👧S"],
    ["👍🏽x", "👍🏽"],
    ["कि शोर", "किशो"],
    ["", "A"],
  ]) {
    assert.equal(initialsOf({ full_name: name, username: name ? "" : "ada" }), initials, name);
  }
});

test("links end where the server ends them", () => {
  const wiki = "https://en.wikipedia.example/wiki";
  for (const [text, address] of [
    [`(see ${wiki}/Kite_(bird).)`, `${wiki}/Kite_(bird)`],
    [`[kite](${wiki}/Kite)`, `${wiki}/Kite`],
    [`${wiki}/O'Reilly's, yes`, `${wiki}/O'Reilly's`],
    [`‘${wiki}/O’Reilly’`, `${wiki}/O’Reilly`],
    [`看${wiki}/鳶。好`, `${wiki}/鳶`],
    [`「${wiki}/鳶」`, `${wiki}/鳶`],
    [`راجع ${wiki}/a؟`, `${wiki}/a`],
    [`«${wiki}/a» **${wiki}/a**`, `${wiki}/a`],
    ["Https://Example.org/a", "Https://Example.org/a"],
    ["http://[2001:db8::1]:80/a!", "http://[2001:db8::1]:80/a"],
  ]) {
    assert.equal(links(text)[0][0], address, text);
  }
});

test("a list reads pages in order, holds each item once, and goes on after a failure", async () => {
  const list = listOf("/feed", ({ id }) => id);
  await list.load();
  assert.equal(list.status.value, "failed");
  answers.set("/v1/feed", { results: [{ id: "3" }, { id: "2" }], next: "https://elsewhere.example/v1/feed?cursor=x" });
  await list.load();
  assert.deepEqual([list.status.value, list.items.value, list.hasMore], ["ready", ["3", "2"], true]);
  answers.set("/v1/feed?cursor=x", { results: [{ id: "2" }, { id: "1" }], next: null });
  await Promise.all([list.more(), list.more()]);
  assert.deepEqual([list.items.value, list.hasMore], [["3", "2", "1"], false]);
  assert.deepEqual(asked, ["/v1/feed", "/v1/feed", "/v1/feed?cursor=x"]);
  assert.equal(listOf("/feed", ({ id }) => id), list);
});

test("a list whose place was forgotten begins again", async () => {
  answers.set("/v1/search", { results: [{ id: "2" }], next: "https://example.org/v1/search?cursor=x" });
  answers.set("/v1/search?cursor=x", { status: 400, code: "cursor_expired" });
  const list = listOf("/search", ({ id }) => id);
  await list.load();
  await list.more();
  assert.equal(list.status.value, "failed");
  answers.set("/v1/search", { results: [{ id: "3" }], next: null });
  await list.retry();
  assert.deepEqual([list.status.value, list.items.value], ["ready", ["3"]]);
});

test("a list that is not there is empty, not broken", async () => {
  answers.set("/v1/profiles/1/posts", { status: 404, code: "not_found" });
  const list = listOf("/profiles/1/posts", ({ id }) => id);
  await list.load();
  assert.deepEqual([list.status.value, list.items.value], ["ready", []]);
});
