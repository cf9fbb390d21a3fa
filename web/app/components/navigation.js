// The way around: a rail beside the page, or a bar below it on narrow screens.
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { leave, profile, signedIn, user } from "../api/session.js";
import { open } from "../state/dialogs.js";
import { instance } from "../state/instance.js";
import { unread } from "../state/notifications.js";
import { go, route } from "../state/router.js";
import { Avatar } from "./avatar.js";
import { Icon } from "./icon.js";
import { Menu } from "./menu.js";

/** Where the button would only be in the way. */
const NO_COMPOSE = new Set(["settings", "compose", "notFound", "requests", "post"]);

/** The roles that the admin site lets in. */
const STAFF = new Set(["admin", "moderator"]);

function places() {
  const own = profile.value;
  if (!signedIn.value) {
    return [
      ["/", "home", t("nav.home")],
      ["/explore", "compass", t("nav.explore")],
      ["/search", "search", t("nav.search")],
      ["/login", "user", t("login.do")],
    ];
  }
  return [
    ["/", "home", t("nav.home")],
    ["/explore", "compass", t("nav.explore")],
    ["/notifications", "bell", t("nav.notifications"), unread.value],
    ["/bookmarks", "bookmark", t("nav.bookmarks")],
    [`/@${own.username}`, "user", t("nav.profile")],
    ["/settings", "gear", t("nav.settings")],
  ];
}

function Place({ href, icon, label, badge }) {
  const here = route.value.path === href || (href === "/settings" && route.value.name === "settings");
  return html`<a class="nav-place" href=${href} aria-current=${here ? "page" : undefined} aria-label=${badge ? `${label}, ${t("nav.unread", { count: badge })}` : undefined}>
    <span class="nav-icon"><${Icon} name=${icon} filled=${here} size=${24} />${badge > 0 && html`<span class="nav-badge" aria-hidden="true">${badge > 99 ? "99+" : badge}</span>`}</span>
    <span class="nav-label">${label}</span>
  </a>`;
}

export function Rail() {
  return html`<header class="rail">
    <a class="brand" href="/" aria-label=${instance.value.name}>
      <img src="/static/favicon.svg" alt="" width="36" height="36" /><span class="nav-label">${instance.value.name}</span>
    </a>
    <nav aria-label=${t("nav.main")}>
      ${places().map(([href, icon, label, badge]) => html`<${Place} key=${href} href=${href} icon=${icon} label=${label} badge=${badge} />`)}
    </nav>
    ${signedIn.value
      ? html`<button class="button button-primary rail-compose" onClick=${() => open("compose")}><${Icon} name="pen" size=${20} /><span class="nav-label">${t("nav.compose")}</span></button>
          <${Account} />`
      : html`<div class="rail-join"><a class="button button-primary" href="/signup">${t("signup.do")}</a><a class="button" href="/login">${t("login.do")}</a></div>`}
  </header>`;
}

function accountItems() {
  const own = profile.value;
  const isStaff = user.value?.roles?.some((role) => STAFF.has(role));
  const out = async () => {
    await leave();
    go("/");
  };
  return [
    { label: t("nav.profile"), icon: "user", href: `/@${own.username}` },
    { label: t("nav.bookmarks"), icon: "bookmark", href: "/bookmarks" },
    { label: t("requests.title"), icon: "people", href: "/follow-requests" },
    { label: t("nav.settings"), icon: "gear", href: "/settings" },
    isStaff && { label: t("nav.admin"), icon: "flag", href: "/admin/" },
    { label: t("shortcuts.title"), icon: "keyboard", run: () => open("shortcuts") },
    { label: t("logout"), icon: "logout", run: out },
  ];
}

function Account() {
  const own = profile.value;
  return html`<div class="account"><${Menu} kind="account-button" label=${t("nav.account")} items=${accountItems()}>
    <${Avatar} person=${own} />
    <span class="person-names nav-label"><span class="name" dir="auto">${own.full_name || own.username}</span><span class="handle"><bdi dir="ltr">@${own.username}</bdi></span></span>
  <//></div>`;
}

/** The same menu at the head of pages on narrow screens. */
export function SmallAccount() {
  if (!signedIn.value || !profile.value) return null;
  return html`<div class="small-account narrow-only"><${Menu} kind="small-account-button" label=${t("nav.account")} items=${accountItems()}><${Avatar} person=${profile.value} size="small" /><//></div>`;
}

/** The bar at the bottom of narrow screens. */
export function Bar() {
  const wanted = signedIn.value ? ["/", "/explore", "/notifications", `/@${profile.value.username}`] : ["/", "/explore", "/search", "/login"];
  const shown = places().filter(([href]) => wanted.includes(href));
  return html`<nav class="bar" aria-label=${t("nav.main")}>
    ${shown.map(([href, icon, label, badge]) => html`<${Place} key=${href} href=${href} icon=${icon} label=${label} badge=${badge} />`)}
  </nav>
  ${signedIn.value && !NO_COMPOSE.has(route.value.name) && html`<button class="bar-compose" aria-label=${t("nav.compose")} onClick=${() => open("compose")}><${Icon} name="pen" size=${24} /></button>`}`;
}
