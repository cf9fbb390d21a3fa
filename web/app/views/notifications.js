// Notifications: all or only the unread ones; opening one marks it as read.
import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { listOf } from "../state/lists.js";
import { markAllRead, putNotification, unread } from "../state/notifications.js";
import { route } from "../state/router.js";
import { push, pushState, subscribe } from "../state/worker.js";
import { Icon } from "../components/icon.js";
import { Infinite } from "../components/infinite.js";
import { NotificationRow } from "../components/notification_row.js";
import { Page } from "../components/page.js";
import { Empty } from "../components/states.js";
import { Tabs } from "../components/tabs.js";
import { complain, toast } from "../state/toasts.js";

const ALL = "/notifications";
const UNREAD = "/notifications?unread=true";

export function View() {
  const only = route.value.query.get("unread") === "true";
  const list = listOf(only ? UNREAD : ALL, putNotification);
  useEffect(() => {
    if (list.status.peek() === "ready") list.refresh();
    pushState();
  }, [list]);
  const turnOn = async () => {
    await subscribe().catch(complain);
    if (push.peek() === "denied") toast(t("push.denied"));
  };
  const actions = unread.value > 0 && html`<button class="button button-quiet button-short" onClick=${markAllRead} title=${t("notifications.read")}><${Icon} name="check" size=${18} /> <span class="button-text">${t("notifications.read")}</span></button>`;
  const empty = html`<${Empty} icon="bell" title=${t("notifications.empty.title")} text=${t("notifications.empty.text")} />`;
  return html`<${Page} title=${t("nav.notifications")} actions=${actions} name="notifications">
    <${Tabs} label=${t("nav.notifications")} tabs=${[[ALL, t("all")], [UNREAD, t("notifications.unread")]]} current=${only ? UNREAD : ALL} />
    ${push.value === "off" && list.items.value.length > 0 && html`<p class="notice"><${Icon} name="bell" size=${18} /> ${t("push.offer")} <button class="link" onClick=${turnOn}>${t("push.do")}</button></p>`}
    <${Infinite} key=${list.path} list=${list} label=${t("nav.notifications")} isLive skeleton="person" empty=${empty} row=${(id) => html`<${NotificationRow} key=${id} id=${id} />`} />
  <//>`;
}
