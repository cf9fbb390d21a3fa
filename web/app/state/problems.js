// What a Problem means to a person, in words of the interface.
import { Problem } from "../api/problem.js";
import { duration, t } from "../i18n/i18n.js";

/** Codes that say the same as another message. */
const SAME = {
  captcha_required: "problem.captcha_invalid",
  code_invalid: "problem.otp_invalid",
  comment_contended: "problem.contended",
  cursor_invalid: "problem.cursor_expired",
  key_expired: "link.old",
  key_invalid: "link.old",
  key_outdated: "link.old",
  passkey_known: "passkeys.exists",
  post_contended: "problem.contended",
  reaction_contended: "problem.contended",
  registration_closed: "signup.closed.text",
  required: "problem.blank",
  social_refused: "social.broken",
  too_many_terms: "problem.too_many_words",
  upload_missing: "problem.upload_incomplete",
  upload_size_differs: "problem.upload_incomplete",
  value_refused: "problem.control_character",
};

/** What went wrong. Its first field says more than the whole; the server's own words are English, so they come last. */
export function explain(problem) {
  if (!(problem instanceof Problem)) return t("problem.unknown");
  const [field] = problem.errors;
  return textOf(field?.code) || textOf(problem.code) || textOfStatus(problem) || field?.detail || problem.message;
}

/** What is wrong with one field; "" where nothing is. */
export function explainField(problem, name) {
  const field = problem?.errors.find((each) => each.field === name);
  return field ? textOf(field.code) || field.detail : "";
}

function textOf(code) {
  const key = SAME[code] || `problem.${code}`;
  const text = t(key);
  return text === key ? "" : text;
}

function textOfStatus({ status, retryAfter }) {
  if (status === 0) return t("problem.offline");
  if (status === 401) return t("session.ended");
  if (status === 404) return t("problem.not_found");
  if (status === 429) return retryAfter ? t("problem.too_many.for", { time: duration(retryAfter) }) : t("problem.too_many");
  return status >= 500 ? t("problem.server") : "";
}
