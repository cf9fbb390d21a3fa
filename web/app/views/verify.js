// Confirming an e-mail address with the key from a mail.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { post } from "../api/client.js";
import { reload, signedIn } from "../api/session.js";
import { explain } from "../state/problems.js";
import { route } from "../state/router.js";
import { Entry } from "../components/entry.js";
import { Spinner } from "../components/skeleton.js";

export function View() {
  const [outcome, setOutcome] = useState(null);
  const key = route.value.query.get("key") || "";
  useEffect(() => {
    post("/auth/verify-email", { key }, { anonymous: true }).then(
      () => {
        setOutcome({ text: t("verify.done") });
        if (signedIn.peek()) reload();
      },
      (problem) => setOutcome({ text: explain(problem), bad: true }),
    );
  }, [key]);
  return html`<${Entry} title=${t("verify.title")} foot=${outcome?.bad ? html`<a href="/settings/account">${t("link.again")}</a>` : html`<a href="/">${t("nav.home")}</a>`}>
    ${outcome ? html`<p role=${outcome.bad ? "alert" : "status"} class=${outcome.bad ? "form-error" : ""}>${outcome.text}</p>` : html`<${Spinner} />`}
  <//>`;
}
