// The service worker: keeps the app's files and what was read last, and shows push messages.
// The server writes the address of its release in place of __ROOT__.
const ROOT = "__ROOT__";
const FILES = `files:${ROOT}`;
const LATER = `${ROOT}later.js`; // the views that the first page does without: somebody may go there offline
const READING = "reading";
const MOST_READ = 60;
const READABLE = /^\/v1\/(feed|explore|posts\/\d+(\/comments)?|profiles\/\d+|auth\/me)$/;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(FILES)
      .then((cache) => cache.addAll([new Request("/", { cache: "reload" }), ...(navigator.connection?.saveData ? [] : [LATER])]))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith("files:") && name !== FILES))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("message", (event) => event.data === "claim" && event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (url.pathname.startsWith(ROOT)) event.respondWith(file(request));
  else if (READABLE.test(url.pathname)) event.respondWith(reading(request));
});

async function page(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match("/")) || Response.error();
  }
}

async function file(request) {
  const kept = await caches.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) (await caches.open(FILES)).put(request, answer.clone());
  return answer;
}

async function reading(request) {
  const cache = await caches.open(READING);
  try {
    const answer = await fetch(request);
    if (answer.ok) {
      await cache.put(request.url, answer.clone());
      for (const old of (await cache.keys()).slice(0, -MOST_READ)) await cache.delete(old);
    }
    return answer;
  } catch {
    return (await cache.match(request.url)) || Response.error();
  }
}

self.addEventListener("push", (event) => {
  const given = event.data?.json() || {};
  event.waitUntil(
    self.registration.showNotification(given.title || "socialapp", {
      body: given.body || "",
      tag: given.topic || given.id || undefined,
      icon: given.icon || "/static/favicon.svg",
      data: { url: new URL(given.url || "/notifications", location.origin).pathname },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(
    self.clients.matchAll({ type: "window" }).then((open) => {
      if (open.length) return open[0].focus().then((page) => page.navigate(event.notification.data.url));
      return self.clients.openWindow(event.notification.data.url);
    }),
  );
});
