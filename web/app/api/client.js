// Calls the public API: tokens, problems, idempotency keys, ETags, and the confirmation that some calls ask for.
import { takeEarly } from "./early.js";
import { Problem } from "./problem.js";

export const BASE = "/v1";
const LONGEST_PAUSE = 5; // seconds for which a list that came too often waits by itself

const hooks = {
  token: async () => "",
  renew: async () => "",
  confirm: async (_methods) => false,
};

/** Lets the session and the confirmation dialog take part without this module knowing them. */
export function installHooks(given) {
  Object.assign(hooks, given);
}

/** A new key for `Idempotency-Key`. */
export function newKey() {
  return crypto.randomUUID();
}

/** @typedef {{body?: unknown, key?: string, etag?: string, anonymous?: boolean, signal?: AbortSignal, keepalive?: boolean, again?: boolean}} Options */

/**
 * One request. `path` is below /v1, or an absolute URL from a list's `next`.
 * @param {string} method
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<{status: number, body: any, etag: string}>}
 */
export async function request(method, path, options = {}) {
  let answer = await send(method, path, options, options.anonymous ? "" : await hooks.token());
  if (answer.status === 401 && !options.anonymous) {
    const token = await hooks.renew();
    if (token) answer = await send(method, path, options, token);
  }
  const pause = Number(answer.headers.get("Retry-After"));
  if (answer.status === 429 && method === "GET" && pause <= LONGEST_PAUSE && !options.again) {
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
    return request(method, path, { ...options, again: true });
  }
  if (answer.ok) return unwrap(answer);
  const problem = await problemOf(answer);
  if (problem.code === "confirmation_required" && (await hooks.confirm(problem.methods))) {
    return request(method, path, options);
  }
  throw problem;
}

/** @param {string} method @param {string} path @param {Options} options @param {string} token */
async function send(method, path, { body, key, etag, signal, keepalive }, token) {
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  if (etag) headers["If-Match"] = etag;
  const early = method === "GET" && !token ? await takeEarly(address(path)) : null;
  if (early) return early;
  try {
    return await fetch(address(path), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      keepalive,
      credentials: "same-origin",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { code: "offline" });
  }
}

/** `next` links carry the server's public address; they are asked for on this page's own origin. */
function address(path) {
  if (!/^https?:/.test(path)) return BASE + path;
  const url = new URL(path);
  return url.pathname + url.search;
}

async function unwrap(answer) {
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null, etag: answer.headers.get("ETag") || "" };
}

async function problemOf(answer) {
  const retryAfter = Number(answer.headers.get("Retry-After")) || 0;
  try {
    return new Problem(answer.status, await answer.json(), retryAfter);
  } catch {
    return new Problem(answer.status, {}, retryAfter);
  }
}

const bodyOf = async (sent) => (await sent).body;

export const get = (path, options) => bodyOf(request("GET", path, options));
export const post = (path, body = {}, options = {}) => bodyOf(request("POST", path, { ...options, body }));
export const put = (path, body, options = {}) => bodyOf(request("PUT", path, { ...options, body }));
export const patch = (path, body, options = {}) => bodyOf(request("PATCH", path, { ...options, body }));
export const del = (path, options) => bodyOf(request("DELETE", path, options));

/** A query string from what is set. */
export function query(values) {
  const set = Object.entries(values).filter(([, value]) => value !== undefined && value !== "" && value !== null);
  return set.length ? `?${new URLSearchParams(set)}` : "";
}
