// Buttons to get in by another account: Google, Facebook, GitHub, as the server allows.
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { get, query } from "../api/client.js";
import { instance } from "../state/instance.js";
import { complain } from "../state/toasts.js";

const NAMES = { google: "Google", facebook: "Facebook", github: "GitHub" };

/** Goes to the provider; `purpose` is login or link. */
export async function visit(provider, purpose = "login") {
  const redirect = `${location.origin}/social/${provider}`;
  try {
    const { authorize_url: url, state } = await get(`/auth/social/${provider}/authorize${query({ redirect_uri: redirect })}`);
    sessionStorage.setItem("social", JSON.stringify({ provider, state, purpose, redirect }));
    location.assign(url);
  } catch (problem) {
    complain(problem);
  }
}

export const nameOf = (provider) => NAMES[provider] || provider;

export function Providers() {
  const known = instance.value.providers;
  if (!known.length) return null;
  return html`<p class="or"><span>${t("login.or")}</span></p>
    <div class="providers">${known.map((each) => html`<button type="button" key=${each} class="button" onClick=${() => visit(each)}>${t("login.with", { name: nameOf(each) })}</button>`)}</div>`;
}
