// Accepting or rejecting a follow request, where it is shown.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { answerRequest } from "../state/people.js";
import { complain } from "../state/toasts.js";

const answered = new Map();

/** The buttons for the request of one person; afterwards what was answered. */
export function RequestAnswer({ id, username }) {
  const [answer, setAnswer] = useState(answered.get(id) || "");
  const give = async (accept) => {
    try {
      const accepted = await answerRequest(id, accept);
      answered.set(id, accepted ? "accepted" : "rejected");
      setAnswer(answered.get(id));
    } catch (problem) {
      if (problem.status === 404) setAnswer("gone");
      else complain(problem);
    }
  };
  if (answer) return html`<p class="handle" role="status">${t(`requests.${answer}`)}</p>`;
  return html`<p class="note-actions">
    <button class="button button-primary" aria-label="${t("requests.accept")}: @${username}" onClick=${() => give(true)}>${t("requests.accept")}</button>
    <button class="button" aria-label="${t("requests.reject")}: @${username}" onClick=${() => give(false)}>${t("requests.reject")}</button>
  </p>`;
}
