// The WebSocket of notifications: connects again by itself, resumes where it was, and watches what is on screen.
import { onToken, renew, token } from "./session.js";

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;
const PING_EVERY = 45_000;
const ANSWERS_WITHIN = 8_000; // a server that says nothing for so long after a ping is not there any more
const OPENS_WITHIN = 20_000;
const BAD_TOKEN = 4401;

let socket = null;
let cursor = "";
let pause = FIRST_PAUSE;
let wanted = false;
let pinging = 0;
let opening = 0;
let retry = 0;
let openings = 0;
let received = 0;
const awaitingPong = new Set(); // in the order in which they asked
const handlers = {};

/** Sets what happens on messages: `{ready, notification, read, unread, feed, post, media}`, and whether one is of a later connection. */
export function onMessages(given) {
  Object.assign(handlers, given);
}

/** Connects, and stays connected until `disconnect()`. */
export async function connect() {
  wanted = true;
  clearTimeout(retry);
  if (socket || !navigator.onLine) return;
  const access = await token();
  if (!wanted || socket) return;
  if (!access) {
    connectLater(); // whoever is signed out disconnects: the server could not be asked for a token
    return;
  }
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  openings += 1;
  socket = new WebSocket(`${scheme}://${location.host}/ws/notifications/`, ["bearer", access]);
  socket.onmessage = ({ data }) => receive(JSON.parse(data));
  socket.onclose = ({ code }) => closed(code);
  socket.onerror = () => {};
  opening = setTimeout(abandon, OPENS_WITHIN);
}

export function disconnect() {
  wanted = false;
  openings = 0;
  cursor = "";
  clearTimeout(retry);
  const ending = socket;
  // Browsers complain of one that is closed while it is being made. `abandon` ends one that never is.
  if (ending?.readyState === WebSocket.CONNECTING) ending.onopen = () => ending.close();
  else ending?.close();
}

/** Resolves once the server has done everything that it was sent before, or is found not to answer: then it connects again. */
export async function answered() {
  const asked = socket;
  const before = received;
  if (!send({ type: "ping" })) return;
  await new Promise((resolve) => {
    const timer = setTimeout(done, ANSWERS_WITHIN);
    function done() {
      clearTimeout(timer);
      awaitingPong.delete(done);
      resolve(undefined);
    }
    awaitingPong.add(done);
  });
  if (socket === asked && received === before) abandon();
}

/** Asks for news of the feed and of these posts. */
export function watch({ feed, posts }) {
  send({ type: "watch", feed, posts: posts.slice(0, 50) });
}

/** Marks everything up to a notification as read, on all devices. */
export function sendRead(upTo) {
  return send({ type: "read", up_to: upTo });
}

function send(message) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
}

function receive(message) {
  received += 1;
  if (message.type === "ready") {
    pause = FIRST_PAUSE;
    if (cursor) send({ type: "resume", after: cursor });
    cursor = cursor || message.cursor;
    clearTimeout(opening);
    clearInterval(pinging);
    pinging = setInterval(answered, PING_EVERY);
  }
  if (message.type === "pong") [...awaitingPong][0]?.();
  if (message.type === "notification") cursor = message.notification.id;
  handlers[message.type]?.(message, openings > 1);
}

/** Gives up a connection that is dead: its end may never be reported, as after sleep. */
function abandon() {
  socket.onmessage = socket.onclose = null;
  socket.close();
  closed();
}

async function closed(code = 0) {
  socket = null;
  clearTimeout(opening);
  clearInterval(pinging);
  for (const done of [...awaitingPong]) done();
  if (code === BAD_TOKEN) await renew().catch(() => "");
  connectLater();
}

function connectLater() {
  clearTimeout(retry);
  if (!wanted) return;
  retry = setTimeout(connect, pause * (0.5 + Math.random()));
  pause = Math.min(pause * 2, LONGEST_PAUSE);
}

/** After sleep, or on another network: the connection may be dead and nobody has noticed. */
function lookAgain() {
  if (!wanted) return;
  if (socket) answered();
  else connect();
}

onToken((access) => send({ type: "token", access }));
addEventListener("online", lookAgain);
document.addEventListener("visibilitychange", () => document.hidden || lookAgain());
