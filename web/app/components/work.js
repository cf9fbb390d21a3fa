// A proof of work before sign-up, where the server asks for one. It is done while people fill in the form.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { post } from "../api/client.js";
import { solve } from "../state/work.js";
import { explain } from "../state/problems.js";

const SPARE = 60; // seconds before a challenge expires in which it is not sent any more

/** `onSolved(solution)` is called with what the server checks, and with "" while there is none. */
export function Work({ onSolved }) {
  const [round, setRound] = useState(0);
  const [problem, setProblem] = useState(null);
  const [done, setDone] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    let expiry = 0;
    const tell = (solution) => {
      setDone(Boolean(solution));
      onSolved(solution);
    };
    const work = async () => {
      const asked = await post("/auth/captcha", {}, { anonymous: true, signal });
      if (signal.aborted) return;
      expiry = setTimeout(() => setRound(round + 1), (asked.expires_in - SPARE) * 1000);
      const solution = await solve(asked.challenge, asked.difficulty, signal);
      if (!signal.aborted) tell(solution);
    };
    setProblem(null);
    tell("");
    work().catch((failure) => signal.aborted || setProblem(failure));
    return () => {
      stop.abort();
      clearTimeout(expiry);
    };
  }, [round]);
  if (problem) {
    return html`<p class="form-error" role="alert">${explain(problem)} <button type="button" class="link" onClick=${() => setRound(round + 1)}>${t("failed.retry")}</button></p>`;
  }
  return html`<p class="hint" role="status">${t(done ? "signup.work.done" : "signup.work")}</p>`;
}
