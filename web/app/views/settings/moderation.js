// What moderators decided about oneself, with appeals, and what became of one's own reports.
import { useEffect, useState } from "preact/hooks";
import { html } from "../../html.js";
import { ago, moment, t } from "../../i18n/i18n.js";
import { get } from "../../api/client.js";
import { writeAppeal } from "../../components/appeal_dialog.js";
import { Skeleton } from "../../components/skeleton.js";
import { Empty, Failed } from "../../components/states.js";

export function Moderation() {
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState(null);
  const read = async () => {
    setProblem(null);
    try {
      const [actions, appeals, reports] = await Promise.all(["/moderation/actions", "/appeals", "/reports"].map((path) => get(`${path}?limit=100`)));
      setFound({ actions: actions.results, appeals: appeals.results, reports: reports.results });
    } catch (failure) {
      setProblem(failure);
    }
  };
  useEffect(() => void read(), []);
  const appealed = (made) => {
    if (made) setFound({ ...found, appeals: [made, ...found.appeals] });
    else read();
  };
  if (problem) return html`<${Failed} problem=${problem} onRetry=${read} />`;
  if (!found) return html`<${Skeleton} kind="person" number=${4} />`;
  const appealOf = (action) => found.appeals.find((each) => each.action_id === action.id);
  return html`
    <section class="section">
      <h2>${t("moderation.actions")}</h2>
      ${!found.actions.length && html`<${Empty} icon="check" title=${t("moderation.actions.empty")} />`}
      <ul class="rows">${found.actions.map((each) => html`<${Action} key=${each.id} action=${each} appeal=${appealOf(each)} onAppeal=${appealed} />`)}</ul>
    </section>
    <section class="section">
      <h2>${t("moderation.reports")}</h2>
      ${!found.reports.length && html`<${Empty} icon="flag" title=${t("moderation.reports.empty")} />`}
      <ul class="rows">${found.reports.map((each) => html`<${Report} key=${each.id} report=${each} />`)}</ul>
    </section>`;
}

/** @param {{action: import("#api").Action, appeal?: import("#api").Appeal, onAppeal: (made?: import("#api").Appeal) => void}} properties */
function Action({ action, appeal, onAppeal }) {
  const begin = async () => onAppeal(await writeAppeal(action.id));
  return html`<li class="row">
    <span class="row-text">
      <span class="name">${t(`moderation.kind.${action.kind}`)}</span>
      ${action.reason && html`<span dir="auto">${action.reason}</span>`}
      <span class="handle">${ago(action.created_at)}${action.until && html` · ${t("moderation.until", { at: moment(action.until) })}`}</span>
      ${appeal && html`<span class="handle">${t(`moderation.appeal.${appeal.status}`)}</span>`}
      ${appeal?.answer && html`<span dir="auto">${appeal.answer}</span>`}
    </span>
    ${!appeal && html`<button class="button" onClick=${begin}>${t("appeal.do")}</button>`}
  </li>`;
}

const PLACES = { post: "/posts/", comment: "/comments/" };

/** @param {{report: import("#api").Report}} properties */
function Report({ report }) {
  const place = report.target_id && PLACES[report.target_type];
  const what = html`<span class="name">${t(`report.reason.${report.reason}`)}</span>`;
  return html`<li class="row"><span class="row-text">
    ${place ? html`<a href="${place}${report.target_id}">${what}</a>` : what}
    ${report.details && html`<span dir="auto">${report.details}</span>`}
    <span class="handle">${ago(report.created_at)} · ${t(`moderation.outcome.${report.status === "open" ? "open" : report.outcome || "dismissed"}`)}</span>
  </span></li>`;
}
