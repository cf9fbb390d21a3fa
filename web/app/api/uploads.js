// Uploads pictures and videos with progress, and waits until the server has prepared them.
import { BASE, get, post } from "./client.js";
import { ifTemporary, Problem } from "./problem.js";
import { renew, token } from "./session.js";

const LARGE = 32 * 2 ** 20;
const TRIES = 4;
const RETRY_AFTER = 700;
const READY_WITHIN = 120_000;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 8_000;

/** @type {Map<string, () => void>} for media that are being prepared: ends the pause before the next look */
const waiting = new Map();

/** What to do when the socket says that a file was prepared or refused: look at it now. */
export function lookAgain(id) {
  waiting.get(id)?.();
}

/**
 * Uploads one file; `onProgress(0…1)`, `onReceived(id)`. The media once it is ready; a Problem when it failed.
 * @param {File} file
 * @param {{onProgress: (part: number) => void, onReceived?: (id: string) => void, signal?: AbortSignal}} options
 * @returns {Promise<import("#api").Media>}
 */
export async function upload(file, { onProgress, onReceived = () => {}, signal }) {
  const access = (await token()) || (await renew());
  const media = file.size > LARGE ? await direct(file, onProgress, signal) : await multipart(file, access, onProgress, signal);
  onReceived(media.id);
  return media.status === "ready" ? media : prepared(media.id, signal);
}

function multipart(file, access, onProgress, signal) {
  const form = new FormData();
  form.append("file", file);
  return transfer("POST", `${BASE}/media`, form, { Authorization: `Bearer ${access}` }, onProgress, signal);
}

async function direct(file, onProgress, signal) {
  const begun = await post("/media/uploads", { content_type: file.type, size: file.size, resumable: true });
  const { id } = begun;
  let { parts } = begun;
  for (let tries = 0; ; tries += 1) {
    try {
      await sendParts(file, parts, onProgress, signal);
      return await post(`/media/${id}/complete`);
    } catch (problem) {
      if (tries === TRIES || !(problem.temporary || problem.status === 403)) throw problem;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER * 2 ** tries));
    if (parts.some((part) => !part.received)) ({ parts } = (await get(`/media/${id}/upload`, { signal }).catch(ifTemporary)) || { parts });
  }
}

async function sendParts(file, parts, onProgress, signal) {
  let start = 0;
  for (const part of parts) {
    if (!part.received) {
      const before = start;
      const told = (share) => onProgress((before + share * part.size) / file.size);
      const headers = { "Content-Type": part.headers["Content-Type"] };
      await transfer("PUT", part.url, file.slice(start, start + part.size), headers, told, signal);
      part.received = true;
    }
    start += part.size;
  }
}

/** fetch() tells nothing of what it has sent, so this is an XMLHttpRequest. */
function transfer(method, url, body, headers, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const sent = new XMLHttpRequest();
    sent.open(method, url);
    for (const [name, value] of Object.entries(headers)) sent.setRequestHeader(name, value);
    sent.responseType = "json";
    sent.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    sent.onload = () => (sent.status < 300 ? resolve(sent.response) : reject(new Problem(sent.status, sent.response || {})));
    sent.onerror = () => reject(new Problem(0, { code: "offline" }));
    sent.onabort = () => reject(new DOMException("aborted", "AbortError"));
    signal?.addEventListener("abort", () => sent.abort());
    sent.send(body);
  });
}

/**
 * The media of an id once it is ready; a Problem when it failed or is not there.
 * @param {string} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<import("#api").Media>}
 */
export async function prepared(id, signal) {
  const until = Date.now() + READY_WITHIN;
  try {
    for (let pause = FIRST_PAUSE; Date.now() < until && !signal?.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const told = new Promise((resolve) => waiting.set(id, () => resolve(undefined))); // before looking: nothing is missed
      const media = await get(`/media/${id}`, { signal }).catch(ifTemporary);
      if (media?.status === "ready") return media;
      if (media?.status === "failed") throw new Problem(422, { code: `media_${media.error_code || "failed"}`, detail: media.error || "" });
      await Promise.race([told, new Promise((resolve) => setTimeout(resolve, pause))]); // there may be no socket
    }
  } finally {
    waiting.delete(id);
  }
  throw new Problem(0, { code: "media_slow" });
}
