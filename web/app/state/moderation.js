// The way from what moderators see to the page where they decide about it, in the admin site.
import { user } from "../api/session.js";
import { t } from "../i18n/i18n.js";

/** The entry of a menu for moderators and administrators; false for everybody else. @param {"user"|"post"|"comment"} target @param {string} id */
export function actOn(target, id) {
  const roles = user.value?.roles ?? [];
  const isStaff = roles.includes("moderator") || roles.includes("admin");
  return isStaff && { label: t("moderate.do"), icon: "flag", run: () => location.assign(`/admin/moderation/case/about/${target}/${id}/`) };
}
