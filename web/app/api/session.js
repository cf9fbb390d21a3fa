// Who is signed in here. The access token lives in memory; the refresh token in a cookie that scripts cannot read.
import { signal, computed } from "@preact/signals";
import { get, installHooks, post } from "./client.js";

const EXPIRES_EARLY = 30_000;
const MARK = "signed-in";

/** The caller's user (`GET /auth/me`) or null. @type {import("@preact/signals").Signal<import("#api").User | null>} */
export const user = signal(null);
/** The caller's profile or null. @type {import("@preact/signals").Signal<import("#api").Person | null>} */
export const profile = signal(null);
export const signedIn = computed(() => user.value !== null);
/** Whether somebody is signed in, but nobody could be asked who. */
export const unreached = signal(false);
/** Why the session ended without the person asking for it, or "". */
export const endedBecause = signal("");

const access = { token: "", expires: 0 };
let refreshToken = ""; // only from servers that do not set the cookie
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("session") : null;
const listeners = new Set();
/** What has to be done before the session ends, such as a deletion that could still be undone. @type {Set<() => unknown>} */
export const beforeLeaving = new Set();

/** Calls `listener(token)` whenever there is a new access token. */
export function onToken(listener) {
  listeners.add(listener);
}

/** The access token, renewed when it is about to expire; "" when nobody is signed in, or the server cannot say who. */
export async function token() {
  if (access.token && Date.now() < access.expires - EXPIRES_EARLY) return access.token;
  return access.token || localStorage.getItem(MARK) ? renew().catch(() => "") : "";
}

/** A new access token; a Problem when the server cannot say who is signed in. All tabs take turns, and who comes later takes what the first one got. */
export async function renew() {
  const stale = access.token;
  const inTurn = async () => {
    if (access.token !== stale && Date.now() < access.expires - EXPIRES_EARLY) return access.token;
    return exchange();
  };
  return navigator.locks ? navigator.locks.request("refresh", inTurn) : inTurn();
}

async function exchange() {
  if (!refreshToken && !localStorage.getItem(MARK)) return "";
  try {
    const given = await post("/auth/refresh", refreshToken ? { refresh: refreshToken } : {}, { anonymous: true });
    keep(given);
    return given.access;
  } catch (problem) {
    if (problem.status === 429 || problem.status >= 500) throw problem; // nobody is signed out by that
    if (problem.status) {
      if (user.value) endedBecause.value = "expired";
      forget();
      channel?.postMessage({ type: "out", because: "expired" });
    }
    return "";
  }
}

function keep({ access: given, refresh }) {
  take(given);
  if (refresh) refreshToken = refresh;
  localStorage.setItem(MARK, "1");
  channel?.postMessage({ type: "token", token: given });
}

function take(given) {
  access.token = given;
  const { exp } = claimsOf(given);
  access.expires = exp ? exp * 1000 : Date.now() + 60_000;
  for (const listener of listeners) listener(given);
}

/** What an access token says. @returns {{exp?: number, sub?: string}} */
function claimsOf(given) {
  try {
    return JSON.parse(atob(given.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
  } catch {
    return {};
  }
}

function forget() {
  access.token = "";
  access.expires = 0;
  refreshToken = "";
  localStorage.removeItem(MARK);
  user.value = null;
  profile.value = null;
  if ("caches" in globalThis) caches.delete("reading");
}

/** Signs in again what was signed in when the page was left; without a connection, to read what the service worker kept. */
export async function restore() {
  if (!localStorage.getItem(MARK)) return;
  await token();
  if (localStorage.getItem(MARK)) await loadOwn();
}

async function loadOwn() {
  const { sub } = claimsOf(access.token); // their id: both can be asked for at once
  const early = sub ? get(`/profiles/${sub}`).catch(() => null) : null;
  const own = await get("/auth/me").catch(() => null);
  unreached.value = !own && !user.value && !!localStorage.getItem(MARK);
  if (!own) return;
  profile.value = (await early) || (await get(`/profiles/${own.id}`).catch(() => ({ id: own.id, username: own.username })));
  user.value = own;
}

/** Takes what sign-up, log-in or social log-in answered. */
export async function enter(given) {
  keep(given);
  endedBecause.value = "";
  await loadOwn();
  channel?.postMessage({ type: "in" });
}

/** POST with `cookie: true`; servers that do not know the field get the request without it. Whether somebody is signed in now. */
export async function enterBy(path, body, options = {}) {
  let given;
  try {
    given = await post(path, { ...body, cookie: true }, { ...options, anonymous: true });
  } catch (problem) {
    if (problem.status !== 422 || !problem.errors.some((error) => error.field === "cookie")) throw problem;
    given = await post(path, body, { anonymous: true });
  }
  if (!given.access) return false; // the account waits for approval
  await enter(given);
  return true;
}

/** Signs out here; the other tabs follow. */
export async function leave() {
  await Promise.allSettled([...beforeLeaving].map((run) => run()));
  await post("/auth/logout", refreshToken ? { refresh: refreshToken } : {}, { anonymous: true }).catch(() => null);
  forget();
  channel?.postMessage({ type: "out" });
}

/** Reads the caller's user and profile again. */
export const reload = loadOwn;

channel?.addEventListener("message", ({ data }) => {
  if (data.type === "token" && user.value) take(data.token);
  if (data.type === "out" && user.value) {
    endedBecause.value = data.because || "";
    forget();
  }
  if (data.type === "in" && !user.value) location.reload();
});

installHooks({ token, renew });
