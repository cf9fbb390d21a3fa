// The frame around every view, and the choice of the view by the address.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { Problem } from "../api/problem.js";
import { endedBecause, signedIn, unreached } from "../api/session.js";
import { loadInstance } from "../state/instance.js";
import { waiting } from "../state/outbox.js";
import { route } from "../state/router.js";
import { closeAll } from "../state/dialogs.js";
import { Aside } from "../components/aside.js";
import { Dialogs } from "../components/dialogs.js";
import { Bar, Rail } from "../components/navigation.js";
import { Skeleton } from "../components/skeleton.js";
import { Failed } from "../components/states.js";
import { Toaster } from "../components/toaster.js";
import { Explore } from "./explore.js";
import { Home } from "./home.js";
import { NotFound } from "./not_found.js";
import { Post } from "./post.js";
import { Profile } from "./profile.js";

/** What the first page often is comes with the app; the others are loaded when somebody goes there. */
const VIEWS = { home: Home, explore: Explore, hashtag: Explore, post: Post, profile: Profile, notFound: NotFound };
const LATER = {
  search: () => import("./search.js"),
  notifications: () => import("./notifications.js"),
  requests: () => import("./requests.js"),
  bookmarks: () => import("./bookmarks.js"),
  compose: () => import("./compose.js"),
  comment: () => import("./by_id.js"),
  person: () => import("./by_id.js"),
  settings: () => import("./settings/index.js"),
  login: () => import("./login.js"),
  signup: () => import("./signup.js"),
  forgot: () => import("./forgot.js"),
  reset: () => import("./reset.js"),
  verify: () => import("./verify.js"),
  social: () => import("./social.js"),
  erasure: () => import("./erasure.js"),
  gallery: () => import("./gallery.js"),
};
const NEEDS_ACCOUNT = new Set(["notifications", "requests", "bookmarks", "compose", "settings"]);
const RELEASED_WITHIN = 10_000; // a page that is younger was made by the release that is served
const PLAIN = new Set(["login", "signup", "forgot", "reset", "verify", "social", "erasure", "gallery"]);

export function App() {
  const { name, path } = route.value;
  const wanted = NEEDS_ACCOUNT.has(name) && !signedIn.value ? "login" : name;
  const view = useView(wanted);
  useEffect(() => void loadInstance(), [path]);
  useEffect(closeAll, [path, signedIn.value]);
  if (unreached.value) {
    const problem = new Problem(navigator.onLine ? 503 : 0);
    return html`<div class="plain"><main id="main" tabindex="-1"><${Failed} problem=${problem} onRetry=${() => location.reload()} /></main></div>`;
  }
  if (PLAIN.has(wanted)) {
    return html`<div class="plain"><main id="main" tabindex="-1">${view}</main></div><${Toaster} /><${Dialogs} />`;
  }
  return html`
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); document.getElementById("main").focus(); }}>${t("skip")}</a>
    <div class="frame">
      <${Rail} />
      <main id="main" tabindex="-1">
        <${Notices} />
        ${view}
      </main>
      <${Aside} />
    </div>
    <${Bar} />
    <${Toaster} />
    <${Dialogs} />
  `;
}

function useView(name) {
  const [loaded, setLoaded] = useState({});
  const [problem, setProblem] = useState(null);
  const known = VIEWS[name] || loaded[name];
  useEffect(() => {
    setProblem(null);
    if (known || !LATER[name]) return;
    LATER[name]().then(
      (module) => setLoaded((before) => ({ ...before, [name]: module.View })),
      () => {
        if (navigator.onLine && performance.now() > RELEASED_WITHIN) location.reload(); // another one is served by now
        else setProblem(new Problem(0, { code: "offline" }));
      },
    );
  }, [name]);
  if (known) return html`<${known} key=${name} />`;
  if (problem) return html`<${Failed} problem=${problem} onRetry=${() => location.reload()} />`;
  return html`<${Skeleton} number=${4} />`;
}

function Notices() {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const change = () => setOnline(navigator.onLine);
    addEventListener("online", change);
    addEventListener("offline", change);
    return () => {
      removeEventListener("online", change);
      removeEventListener("offline", change);
    };
  }, []);
  return html`
    ${!online && html`<p class="notice" role="status">${t("offline")}</p>`}
    ${online && waiting.value > 0 && html`<p class="notice" role="status">${t("outbox.waiting", { count: waiting.value })}</p>`}
    ${endedBecause.value && !signedIn.value && html`<p class="notice notice-bad" role="alert">${t("session.ended")} <a href="/login">${t("login.do")}</a></p>`}
  `;
}
