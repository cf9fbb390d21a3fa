// Lists that are read in pages: nothing is missing, whatever comes back first.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

Object.assign(globalThis, { early: {} });

/** The requests under way, by address: each is answered when the test says so, null for no connection. @type {Map<string, (page: object | null) => void>} */
const asked = new Map();
globalThis.fetch = (address) =>
  new Promise((resolve, reject) =>
    asked.set(String(address), (page) => (page ? resolve(new Response(JSON.stringify(page))) : reject(new TypeError("no connection")))),
  );

const { forgetLists, listOf } = await import("../../app/state/lists.js");
const settle = () => new Promise((resolve) => setTimeout(resolve));
const page = (ids, next) => ({ results: ids.map((id) => ({ id })), next });

async function answer(address, ids, next = null) {
  asked.get(address)(ids && page(ids, next));
  asked.delete(address);
  await settle();
}

/** A list whose first page was read. */
async function opened() {
  const list = listOf("/feed", ({ id }) => id);
  list.load();
  await settle();
  await answer("/v1/feed", ["6", "5"], "/feed?after=5");
  return list;
}

beforeEach(() => {
  forgetLists();
  asked.clear();
});

test("the next page of what was read before does not follow a first page that was read again", async () => {
  const list = await opened();
  list.more();
  await settle();
  list.refresh();
  await settle();
  await answer("/v1/feed", ["9", "8"], "/feed?after=8");
  await answer("/v1/feed?after=5", ["4", "3"], "/feed?after=3");
  assert.deepEqual(list.items.value, ["9", "8"]);
  list.more();
  await settle();
  await answer("/v1/feed?after=8", ["7", "6"]);
  assert.deepEqual([list.items.value, list.status.value], [["9", "8", "7", "6"], "ready"]);
});

test("whoever is at the end while the first page is read again gets the page after it", async () => {
  const list = await opened();
  list.refresh();
  list.more();
  await settle();
  assert.deepEqual([...asked.keys()], ["/v1/feed"]);
  await answer("/v1/feed", ["9", "8"], "/feed?after=8");
  assert.deepEqual([...asked.keys()], ["/v1/feed?after=8"]);
  await answer("/v1/feed?after=8", ["7", "6"]);
  assert.deepEqual(list.items.value, ["9", "8", "7", "6"]);
});

test("trying again reads the only page again that could not be read", async () => {
  const list = listOf("/feed", ({ id }) => id);
  list.load();
  await settle();
  await answer("/v1/feed", null);
  list.prepend("9"); // one's own, or what came live
  for (const ids of [["9", "8"], ["9", "8", "7"]]) {
    assert.equal(list.status.value, "failed");
    list.retry();
    await settle();
    await answer("/v1/feed", ids);
    assert.deepEqual([list.items.value, list.status.value], [ids, "ready"]);
    list.refresh();
    await settle();
    await answer("/v1/feed", null);
  }
});
