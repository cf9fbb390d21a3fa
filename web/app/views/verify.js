// Confirming an e-mail address with the key from a mail.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { post } from "../api/client.js";
import { reload, signedIn } from "../api/session.js";
import { explain } from "../state/problems.js";
import { route } from "../state/router.js";
import { Entry } from "../components/entry.js";
import { useReading } from "../components/reading.js";
import { Spinner } from "../components/skeleton.js";
import { Failed } from "../components/states.js";

export function View() {
  const [isDone, setDone] = useState(false);
  const key = route.value.query.get("key") || "";
  const [problem, send] = useReading(async () => {
    await post("/auth/verify-email", { key }, { anonymous: true });
    setDone(true);
    if (signedIn.peek()) reload();
  });
  useEffect(() => void send(), [key]);
  const isRefused = problem && !problem.temporary;
  return html`<${Entry} title=${t("verify.title")} foot=${isRefused ? html`<a href="/settings/account">${t("link.again")}</a>` : html`<a href="/">${t("nav.home")}</a>`}>
    ${!isDone && !problem && html`<${Spinner} />`}
    ${isDone && html`<p role="status">${t("verify.done")}</p>`}
    ${isRefused && html`<p role="alert" class="form-error">${explain(problem)}</p>`}
    ${problem?.temporary && html`<${Failed} problem=${problem} onRetry=${send} />`}
  <//>`;
}
