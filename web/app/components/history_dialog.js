// Earlier versions of a post.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { moment, t } from "../i18n/i18n.js";
import { get } from "../api/client.js";
import { Modal } from "./modal.js";
import { useReading } from "./reading.js";
import { RichText } from "./rich_text.js";
import { Spinner } from "./skeleton.js";
import { Failed } from "./states.js";

export function Dialog({ id, close }) {
  const [versions, setVersions] = useState(null);
  const [problem, read] = useReading(async () => setVersions((await get(`/posts/${id}/history`)).results));
  useEffect(() => void read(), [id]);
  return html`<${Modal} title=${t("post.history")} onClose=${close}>
    ${!versions && !problem && html`<${Spinner} />`}
    ${problem && html`<${Failed} problem=${problem} onRetry=${read} />`}
    <ol class="history">
      ${(versions || []).map((version) => {
        const at = version.created_at || version.edited_at || version.replaced_at;
        return html`<li><p class="handle">${at && moment(at)}</p><${RichText} text=${version.content} /></li>`;
      })}
    </ol>
  <//>`;
}
