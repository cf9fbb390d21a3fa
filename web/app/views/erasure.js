// How far the deletion of an account has come, and its certificate. Needs no account: it is gone.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { moment, t } from "../i18n/i18n.js";
import { get } from "../api/client.js";
import { explain } from "../state/problems.js";
import { route } from "../state/router.js";
import { Entry } from "../components/entry.js";
import { Icon } from "../components/icon.js";
import { Spinner } from "../components/skeleton.js";

const POLL_EVERY = 2_000;

export function View() {
  const { id } = route.value.params;
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    let timer = 0;
    let isShown = true;
    const read = async () => {
      const [erasure, failure] = await get(`/auth/erasures/${id}`, { anonymous: true }).then((answer) => [answer, null], (error) => [null, error]);
      if (!isShown) return;
      if (erasure) setFound(erasure);
      setProblem(failure);
      if (failure ? failure.temporary : !erasure.certificate) timer = setTimeout(read, POLL_EVERY);
    };
    read();
    return () => {
      isShown = false;
      clearTimeout(timer);
    };
  }, [id]);
  return html`<${Entry} title=${t("erasure.title")} foot=${html`<a href="/">${t("nav.home")}</a>`}>
    ${problem && html`<p class="form-error" role="alert">${explain(problem)}</p>`}
    ${!found && !problem && html`<${Spinner} />`}
    ${found && html`<${Progress} erasure=${found} />`}
  <//>`;
}

/** @param {{erasure: import("#api").Erasure}} properties */
function Progress({ erasure }) {
  const { id, contexts, certificate, completed_at: completed, due_at: due } = erasure;
  const waits = !completed && due && new Date(due) > new Date();
  return html`
    <p role="status">${completed ? t("erasure.done", { at: moment(completed) }) : waits ? t("erasure.due", { at: moment(due) }) : t("erasure.waits")}</p>
    <ul class="rows">${contexts.map((each) => html`<li key=${each.name} class="row"><span class="row-text">${each.name}</span>${each.erased_at ? html`<${Icon} name="check" size=${18} /><span class="unseen">${moment(each.erased_at)}</span>` : html`<span class="handle">…</span>`}</li>`)}</ul>
    ${certificate && html`<p class="hint">${t("erasure.certificate.text")}</p><a class="button button-primary" download="erasure-${id}.jwt" href=${`data:application/jwt,${encodeURIComponent(certificate)}`}>${t("erasure.certificate")}</a>`}
    ${!certificate && html`<p class="hint">${t("erasure.keep")}</p>`}
  `;
}
