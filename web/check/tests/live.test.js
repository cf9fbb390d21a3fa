// The connection of an open page: it is found dead, made again, and what came meanwhile is told.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

const listeners = new Map();
const listen = (name, listener) => listeners.set(name, [...(listeners.get(name) || []), listener]);
const waking = () => (listeners.get("online") || []).forEach((listener) => listener());
Object.assign(globalThis, {
  addEventListener: listen,
  document: { addEventListener: listen, querySelector: () => null, title: "", hidden: false },
  location: { protocol: "https:", host: "example.org", pathname: "/", search: "", hash: "" },
  localStorage: { getItem: () => "1", setItem() {}, removeItem() {} },
  early: {},
});
delete globalThis.BroadcastChannel; // would keep Node running
Object.defineProperty(globalThis, "navigator", { value: { onLine: true }, configurable: true });

/** The server's end of the sockets: `sockets` has each that was opened, `dead` makes it say nothing. */
class FakeSocket {
  static CONNECTING = 0;
  static OPEN = 1;
  constructor() {
    this.readyState = 0;
    this.sent = [];
    sockets.push(this);
  }
  send(text) {
    const message = JSON.parse(text);
    this.sent.push(message.type);
    if (message.type === "ping" && !this.dead) queueMicrotask(() => this.say({ type: "pong" }));
  }
  say(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  opened() {
    this.readyState = 1;
    this.onopen?.();
    if (this.readyState === 1) this.say({ type: "ready", unread: 0, cursor: "0" });
  }
  close() {
    this.readyState = 2; // and its end is never reported
  }
}
const sockets = [];
globalThis.WebSocket = /** @type {any} */ (FakeSocket);

let feed = [];
let refuses = (_address) => false;
let statusOf = (_address) => 200;
const asked = [];
globalThis.fetch = async (address) => {
  asked.push(address);
  if (refuses(address)) throw new TypeError("no connection");
  const body = address === "/v1/auth/refresh" ? { access: token() } : { results: feed.map((id) => ({ id })), next: null };
  return new Response(JSON.stringify(body), { status: statusOf(address) });
};
const token = () => `.${btoa(JSON.stringify({ exp: Date.now() / 1000 + 100, sub: "1" }))}.`;

mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
const settle = async () => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve().then(() => new Promise(setImmediate));
};
const after = async (seconds) => {
  for (let passed = 0; passed < seconds; passed += 0.5) {
    mock.timers.tick(500);
    await settle();
  }
};

const { get } = await import("../../app/api/client.js");
const { user } = await import("../../app/api/session.js");
const { listOf, forgetLists } = await import("../../app/state/lists.js");
const { startLive } = await import("../../app/state/live.js");
startLive();

beforeEach(async () => {
  refuses = () => false;
  statusOf = () => 200;
  user.value = null;
  await settle();
  sockets.at(-1)?.onclose?.({ code: 1000 });
  await after(60);
  sockets.length = asked.length = 0;
  forgetLists();
  feed = ["1"];
  user.value = /** @type {any} */ ({ id: "1" });
  await settle();
});

/** A page that shows the feed, connected; its list and its socket. */
async function opened() {
  const list = listOf("/feed", ({ id }) => id);
  await list.load();
  sockets[0].opened();
  await settle();
  return { list, socket: sockets[0] };
}

test("a connection that is dead after sleep is made again, and one that answers is kept", async () => {
  const { socket } = await opened();
  waking();
  await after(10);
  assert.equal(sockets.length, 1);
  socket.dead = true;
  waking();
  await after(12);
  assert.equal(sockets.length, 2);
  socket.onclose?.({ code: 1006 }); // late: it is not the present one's end
  await after(5);
  assert.equal(sockets.length, 2);
});

test("a ping that nobody answers, and an opening that never ends, are given up", async () => {
  const { socket } = await opened();
  socket.dead = true;
  await after(45 + 8 + 2);
  assert.equal(sockets.length, 2);
  await after(20 + 4);
  assert.equal(sockets.length, 3);
});

test("signing out ends a connection, and one that is being made as soon as it is there, or after a while", async () => {
  const { socket } = await opened();
  user.value = null;
  assert.equal(socket.readyState, 2);
  for (const end of [() => sockets.at(-1).opened(), () => after(25)]) {
    sockets.at(-1).onclose({ code: 1000 });
    user.value = /** @type {any} */ ({ id: "1" });
    await after(5);
    user.value = null;
    await after(5);
    assert.equal(sockets.at(-1).readyState, 0);
    await end();
    assert.deepEqual([sockets.at(-1).readyState, sockets.at(-1).sent], [2, []]);
  }
  await after(60);
  assert.equal(sockets.length, 3);
});

test("without a token, because there is no connection, it is tried again", async () => {
  const { socket } = await opened();
  await after(80);
  refuses = () => true;
  socket.onclose({ code: 4401 });
  await after(5);
  assert.equal(sockets.length, 1);
  refuses = () => false;
  await after(15);
  assert.equal(sockets.length, 2);
});

test("a server that cannot say who is signed in signs nobody out, and says so", async () => {
  const { socket } = await opened();
  await after(80);
  statusOf = (address) => (address === "/v1/auth/refresh" ? 503 : 401);
  await assert.rejects(get("/bookmarks"), { status: 503 });
  socket.onclose({ code: 4401 });
  await after(5);
  assert.equal(sockets.length, 1);
  statusOf = () => 200;
  await after(15);
  assert.equal(sockets.length, 2);
  assert.ok(user.value);
});

test("what came while asleep is counted: after a failure, and when the feed has it late", async () => {
  const { list, socket } = await opened();
  socket.onclose({ code: 1006 });
  await after(2);
  feed = ["2", "1"];
  refuses = (address) => address === "/v1/feed";
  sockets[1].opened();
  await after(1);
  assert.equal(list.unseen.value, 0);
  refuses = () => false;
  await after(5);
  assert.equal(list.unseen.value, 1);
  feed = ["3", "2", "1"]; // was written before the connection was, and filled in after the feed was read
  await after(10);
  assert.equal(list.unseen.value, 2);
});

test("the feed is read after the server has begun to tell what is new in it", async () => {
  const { socket } = await opened();
  socket.onclose({ code: 1006 });
  await after(2);
  asked.length = 0;
  sockets[1].dead = true;
  sockets[1].opened();
  await settle();
  assert.deepEqual([sockets[1].sent.at(-2), sockets[1].sent.at(-1), asked], ["watch", "ping", []]);
  sockets[1].say({ type: "pong" });
  await settle();
  assert.deepEqual(asked, ["/v1/feed"]);
});

test("new posts stay counted when they could not be read", async () => {
  const { list, socket } = await opened();
  socket.say({ type: "feed", post_ids: ["2"] });
  refuses = () => true;
  await list.refresh();
  assert.deepEqual([list.status.value, list.unseen.value], ["failed", 1]);
  refuses = () => false;
  await list.refresh();
  assert.deepEqual([list.status.value, list.unseen.value], ["ready", 0]);
});
