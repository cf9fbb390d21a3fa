// The WebSocket of notifications: connects again by itself, resumes where it was, and watches what is on screen.
import { onToken, renew, token } from "./session.js";

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;
const PING_EVERY = 45_000;
const BAD_TOKEN = 4401;

let socket = null;
let cursor = "";
let pause = FIRST_PAUSE;
let wanted = false;
let pinging = 0;
let retry = 0;
let openings = 0;
const handlers = {};

/** Sets what happens on messages: `{ready, notification, read, unread, feed, post, media}`, and whether one is of a later connection. */
export function onMessages(given) {
  Object.assign(handlers, given);
}

/** Connects, and stays connected until `disconnect()`. */
export async function connect() {
  wanted = true;
  if (socket || !navigator.onLine) return;
  const access = await token();
  if (!access || !wanted || socket) return;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  openings += 1;
  socket = new WebSocket(`${scheme}://${location.host}/ws/notifications/`, ["bearer", access]);
  socket.onmessage = ({ data }) => receive(JSON.parse(data));
  socket.onclose = ({ code }) => closed(code);
  socket.onerror = () => {};
}

export function disconnect() {
  wanted = false;
  openings = 0;
  cursor = "";
  clearTimeout(retry);
  socket?.close();
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
  if (message.type === "ready") {
    pause = FIRST_PAUSE;
    if (cursor) send({ type: "resume", after: cursor });
    cursor = cursor || message.cursor;
    clearInterval(pinging);
    pinging = setInterval(() => send({ type: "ping" }), PING_EVERY);
  }
  if (message.type === "notification") cursor = message.notification.id;
  handlers[message.type]?.(message, openings > 1);
}

async function closed(code) {
  socket = null;
  clearInterval(pinging);
  if (!wanted) return;
  if (code === BAD_TOKEN && !(await renew())) return;
  retry = setTimeout(connect, pause * (0.5 + Math.random()));
  pause = Math.min(pause * 2, LONGEST_PAUSE);
}

onToken((access) => send({ type: "token", access }));
addEventListener("online", () => wanted && connect());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && wanted && !socket) connect();
});
