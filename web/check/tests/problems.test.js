// Every problem that a person can cause in the client has a text in their language, not only the server's English.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { before, test } from "node:test";

const ROOT = new URL("../../../", import.meta.url);
const SERVER = "The words of the server.";

/** What the client never causes: it sends no such request, or only moderators can, in the admin site. */
const NOT_HERE = new Set([
  ...["idempotency_key_invalid", "ids_invalid", "if_match_invalid", "limit_invalid", "malformed", "malformed_form", "malformed_json"],
  ...["sort_invalid", "type_invalid", "unread_invalid", "unsupported_type", "origin_not_allowed", "upload_completed"],
  ...["username_changed_lately", "redirect_uri_invalid", "length", "certificate_invalid", "token_invalid"],
  ...["invalid_choice", "exactly_one", "not_a_key", "not_an_endpoint", "not_a_time"],
  ...["not_staff", "own_decision", "own_account", "rank_too_high", "second_factor_required", "two_people", "role_needed"],
  ...["account_not_approved", "already_lifted", "appeal_decided", "application_decided", "proposal_decided", "nothing_to_lift"],
  ...["case_closed", "case_open", "case_taken", "uses_invalid", "days_invalid", "kind_invalid", "not_content", "past", "too_wide"],
]);

Object.assign(globalThis, {
  document: { addEventListener() {}, querySelector: () => null, documentElement: { lang: "en" }, title: "" },
  localStorage: { getItem: () => null },
  early: {},
});
globalThis.fetch = async () => new Response(await readFile(new URL("web/app/i18n/en.json", ROOT)));
const { Problem } = await import("../../app/api/problem.js");
const { startI18n } = await import("../../app/i18n/i18n.js");
const { explain, explainField } = await import("../../app/state/problems.js");
before(startI18n);

/** [status, code] of each row of the documentation, which lists exactly the codes that the server has. */
async function documented() {
  const page = await readFile(new URL("docs/errors.md", ROOT), "utf8");
  return [...page.matchAll(/^\| (\d{3}) \| `(\w+)` \|/gm)].map(([, status, code]) => [Number(status), code]);
}

/** The codes that the server gives to fields: its own, and those of the libraries that check passwords and lengths. */
async function codesOfFields() {
  const own = /(?:Invalid\.of|_refusal|_taken)\(\s*[^,()]+,\s*"(\w+)"|self\.fail\("(\w+)"/g;
  const codes = ["password_too_short", "password_too_common", "password_too_similar", "required", "max_length", "min_length"];
  for (const folder of ["apps/", "socialapp/"]) {
    for (const name of await readdir(new URL(folder, ROOT), { recursive: true })) {
      if (!name.endsWith(".py")) continue;
      const source = await readFile(new URL(folder + name, ROOT), "utf8");
      for (const [, raised, failed] of source.matchAll(own)) codes.push(raised || failed);
    }
  }
  return codes;
}

test("every documented problem has a text", async () => {
  const without = (await documented()).filter(([status, code]) => explain(new Problem(status, { code, detail: SERVER })) === SERVER);
  assert.deepEqual(without.map(([, code]) => code).filter((code) => !NOT_HERE.has(code)), []);
});

test("every problem of a field has a text", async () => {
  const codes = await codesOfFields();
  assert.ok(codes.length > 50);
  const of = (code) => new Problem(422, { code: "invalid", errors: [{ field: "name", code, detail: SERVER }] });
  assert.deepEqual([...new Set(codes.filter((code) => explainField(of(code), "name") === SERVER && !NOT_HERE.has(code)))], []);
});

test("every reason why media fail has a text", async () => {
  const source = await readFile(new URL("socialapp/core/media/results.py", ROOT), "utf8");
  const codes = [...source.matchAll(/^ {4}"(\w+)": "/gm)].map(([, code]) => code);
  assert.ok(codes.length > 5);
  const without = codes.filter((code) => explain(new Problem(422, { code: `media_${code}`, detail: SERVER })) === SERVER);
  assert.deepEqual(without, []);
});

test("what is listed as never caused here is a code, and has no text", async () => {
  const known = new Set([...(await documented()).map(([, code]) => code), ...(await codesOfFields())]);
  assert.deepEqual([...NOT_HERE].filter((code) => !known.has(code)), []);
  assert.deepEqual([...NOT_HERE].filter((code) => explain(new Problem(400, { code, detail: SERVER })) !== SERVER), []);
});

test("a field says more than its problem, and an unknown problem speaks in the server's words", () => {
  const problem = new Problem(422, { code: "invalid", detail: SERVER, errors: [{ field: "file", code: "media_unsupported", detail: SERVER }] });
  assert.match(explain(problem), /^Pictures must be JPEG/);
  assert.equal(explain(new Problem(409, { code: "appeal_too_late", detail: SERVER })), "It is too late to appeal against this.");
  assert.equal(explain(new Problem(418, { code: "teapot", detail: SERVER })), SERVER);
  assert.equal(explain(new TypeError("x is not a function")), "Something went wrong.");
  assert.equal(explainField(problem, "name"), "");
});

test("waiting is said in the largest unit", () => {
  const wait = (seconds) => explain(new Problem(429, { code: "rate_limited" }, seconds));
  assert.equal(wait(40), "Too many requests. Please wait 40 seconds.");
  assert.equal(wait(61), "Too many requests. Please wait 2 minutes.");
  assert.equal(explain(new Problem(429, { code: "media_quota_reached" }, 3600)), "You have uploaded as much as one day allows.");
});
