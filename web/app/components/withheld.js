// Says to the author of a post or comment that nobody else sees it.
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { Icon } from "./icon.js";

/** `as`: "waiting" for a moderator or "hidden" by one; nothing is said of what is neither. */
export const Withheld = ({ as }) => as && html`<p class="withheld"><${Icon} name="eyeOff" size=${16} /> ${t(`withheld.${as}`)}</p>`;
