// The service worker: the app without a connection, and push messages.
import { effect, signal } from "@preact/signals";
import { del, get, post } from "../api/client.js";
import { Problem } from "../api/problem.js";
import { beforeLeaving, signedIn, unreached } from "../api/session.js";
import { root } from "../i18n/i18n.js";
import { instance } from "./instance.js";

/** Whether this browser gets pushes: "unknown", "off", "on", "denied" or "unsupported". */
export const push = signal("unknown");
const SUBSCRIPTION = "push-subscription";

const policy = globalThis.trustedTypes?.createPolicy("socialapp", {
  createScriptURL(url) {
    if (url === "/sw.js") return url;
    throw new TypeError(`not a script of this site: ${url}`);
  },
});

export async function registerWorker() {
  if (!("serviceWorker" in navigator)) return;
  // The next person at this device is not told what concerns this one.
  const end = () => localStorage.getItem(SUBSCRIPTION) && unsubscribe();
  beforeLeaving.add(end);
  // A session that was ended elsewhere has taken its subscription along.
  effect(() => void (signedIn.value || unreached.value || end()));
  try {
    await register();
    await keepFiles();
    const { active } = await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) active.postMessage("claim"); // this page was loading during the first claim
  } catch {
    // The app works without.
  }
}

const register = () => navigator.serviceWorker.register(policy ? policy.createScriptURL("/sw.js") : "/sw.js");

/** The registration of the worker once it runs. It may have failed when the page was loaded: then `ready` would never be. */
async function ready() {
  const { installing } = await register();
  const failed = new Promise((_, reject) => {
    installing?.addEventListener("statechange", () => installing.state === "redundant" && reject(new Problem(0)));
  });
  return Promise.race([navigator.serviceWorker.ready, failed]);
}

/** Keeps what this page was made of: on the first visit it was loaded before there was a worker to do so. */
async function keepFiles() {
  const files = performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname);
  const cache = await caches.open(`files:${root}`);
  const missing = await Promise.all(files.filter((path) => path.startsWith(root)).map(async (path) => ((await cache.match(path)) ? null : path)));
  await cache.addAll(missing.filter(Boolean));
}

export async function pushState() {
  if (!("PushManager" in globalThis) || !("serviceWorker" in navigator)) push.value = "unsupported";
  else if (Notification.permission === "denied") push.value = "denied";
  else {
    const registration = await navigator.serviceWorker.getRegistration();
    push.value = (await registration?.pushManager.getSubscription()) ? "on" : "off";
  }
}

export async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") return pushState();
  const key = instance.value.push_key || (await get("/push-subscriptions/key")).key;
  const registration = await ready();
  const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  try {
    const made = await post("/push-subscriptions", subscription.toJSON());
    localStorage.setItem(SUBSCRIPTION, made.id);
  } catch (problem) {
    await subscription.unsubscribe(); // the server knows nothing of it
    throw problem;
  }
  return pushState();
}

export async function unsubscribe() {
  const registration = await navigator.serviceWorker.getRegistration();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
  const id = localStorage.getItem(SUBSCRIPTION);
  if (id) await del(`/push-subscriptions/${id}`).catch(() => null);
  localStorage.removeItem(SUBSCRIPTION);
  return pushState();
}
