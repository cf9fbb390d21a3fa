// How a post is doing, for its author.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { count, t } from "../i18n/i18n.js";
import { get } from "../api/client.js";
import { Modal } from "./modal.js";
import { useReading } from "./reading.js";
import { Spinner } from "./skeleton.js";
import { Failed } from "./states.js";

const SHOWN = ["views", "reactions", "comments", "reposts"];

export function Dialog({ id, close }) {
  const [found, setFound] = useState(null);
  const [problem, read] = useReading(async () => setFound(await get(`/posts/${id}/metrics`)));
  useEffect(() => void read(), [id]);
  return html`<${Modal} title=${t("post.metrics")} onClose=${close}>
    ${!found && !problem && html`<${Spinner} />`}
    ${problem && html`<${Failed} problem=${problem} onRetry=${read} />`}
    ${found && html`<dl class="figures">${SHOWN.map((each) => html`<div key=${each}><dt>${t(`metrics.${each}`)}</dt><dd>${count(found[each] || 0)}</dd></div>`)}</dl>`}
  <//>`;
}
