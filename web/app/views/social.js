// Where providers send people back to: finishes the log-in, or links the account.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { post } from "../api/client.js";
import { Problem } from "../api/problem.js";
import { enterBy } from "../api/session.js";
import { explain } from "../state/problems.js";
import { go, route } from "../state/router.js";
import { toast } from "../state/toasts.js";
import { Entry } from "../components/entry.js";
import { Spinner } from "../components/skeleton.js";
import { nameOf } from "../components/providers.js";

export function View() {
  const [error, setError] = useState("");
  const { params, query } = route.value;
  useEffect(() => {
    finish(params.provider, query).catch((problem) => setError(explain(problem)));
  }, []);
  return html`<${Entry} title=${t("login.with", { name: nameOf(params.provider) })} foot=${html`<a href="/login">${t("forgot.back")}</a>`}>
    ${error ? html`<p class="form-error" role="alert">${error}</p>` : html`<${Spinner} />`}
  <//>`;
}

async function finish(provider, query) {
  const begun = JSON.parse(sessionStorage.getItem("social") || "{}");
  sessionStorage.removeItem("social");
  if (begun.provider !== provider || begun.state !== query.get("state") || !query.get("code")) {
    throw new Problem(401, { code: "social_refused" });
  }
  const body = { code: query.get("code"), state: begun.state, redirect_uri: begun.redirect };
  if (begun.purpose === "link") {
    await post(`/auth/social/${provider}/link`, body);
    toast(t("social.linked", { name: nameOf(provider) }));
    go("/settings/account", { replace: true });
  } else {
    await enterBy(`/auth/social/${provider}`, body);
    go("/", { replace: true });
  }
}
