// Uploads: a connection that is gone for a moment ends none.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

const MINUTE = 60;
Object.assign(globalThis, { early: {}, localStorage: { getItem: () => null }, addEventListener() {} });
Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
delete globalThis.BroadcastChannel; // would keep Node running

/** What the server answers, by method and path; functions may refuse by throwing. @type {Record<string, () => object>} */
let answers = {};
/** @type {string[]} */
const asked = [];
const answerTo = (method, path) => {
  asked.push(`${method} ${path}`);
  return answers[`${method} ${path}`]();
};
globalThis.fetch = async (address, { method }) => new Response(JSON.stringify(answerTo(method, String(address).replace("/v1", ""))));

/** Sends parts. */
class FakeRequest {
  upload = {};
  status = 200;
  open(method, path) {
    Object.assign(this, { method, path });
  }
  setRequestHeader() {}
  send() {
    const { method, path, onload, onerror } = /** @type {any} */ (this);
    try {
      answerTo(method, path);
      onload();
    } catch {
      onerror();
    }
  }
}
globalThis.XMLHttpRequest = /** @type {any} */ (FakeRequest);

mock.timers.enable({ apis: ["setTimeout", "Date"] });
const after = async (seconds) => {
  for (let passed = 0; passed < seconds; passed += 0.1) {
    mock.timers.tick(100);
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  }
};
const offline = () => {
  throw new TypeError("no connection");
};
/** Fails once, then answers so. */
const onceRefused = (answer) => {
  let times = 0;
  return () => (times++ ? answer : offline());
};

const { prepared, upload } = await import("../../app/api/uploads.js");

beforeEach(() => {
  answers = {};
  asked.length = 0;
});

test("media that are being prepared are looked at again after a request that failed", async () => {
  answers["GET /media/1"] = onceRefused({ id: "1", status: "ready" });
  const media = prepared("1");
  await after(2);
  assert.equal((await media).status, "ready");
});

test("what the server refuses ends the waiting", async () => {
  answers["GET /media/1"] = () => ({ id: "1", status: "failed", error_code: "failed" });
  await assert.rejects(prepared("1"), { code: "media_failed" });
});

const BLOB = { type: "video/mp4", size: 2 ** 26, slice: () => "" };
const FILE = /** @type {File} */ (/** @type {unknown} */ (BLOB));
const part = (received) => ({ url: "/part", size: 2 ** 26, headers: {}, received });
const uploaded = () => upload(FILE, { onProgress() {} });

test("a large file goes on where it was after a connection that was gone for seconds", async () => {
  const start = Date.now();
  const back = (answer) => () => (Date.now() - start < 5_000 ? offline() : answer);
  answers["POST /media/uploads"] = () => ({ id: "1", parts: [part(false)] });
  answers["PUT /part"] = back({});
  answers["GET /media/1/upload"] = back({ id: "1", parts: [part(false)] });
  answers["POST /media/1/complete"] = () => ({ id: "1", status: "ready" });
  const media = uploaded();
  await after(MINUTE);
  assert.equal((await media).status, "ready");
  assert.equal(asked.filter((each) => each === "POST /media/uploads").length, 1);
});

test("a large file is not sent again because its end was not answered", async () => {
  answers["POST /media/uploads"] = () => ({ id: "1", parts: [part(false)] });
  answers["PUT /part"] = () => ({});
  answers["POST /media/1/complete"] = onceRefused({ id: "1", status: "ready" });
  const media = uploaded();
  await after(MINUTE);
  assert.equal((await media).status, "ready");
  assert.deepEqual(asked.slice(1), ["PUT /part", "POST /media/1/complete", "POST /media/1/complete"]);
});
