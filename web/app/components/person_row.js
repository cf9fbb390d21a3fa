// A person in a list, with the button to follow them.
import { html } from "../html.js";
import { people } from "../state/entities.js";
import { Avatar } from "./avatar.js";
import { FollowButton } from "./follow_button.js";
import { Icon } from "./icon.js";

export function PersonRow({ id, actions = null, note = "" }) {
  const person = people.of(id).value;
  if (!person) return null;
  return html`<article class="person">
    <a class="person-link" href="/@${person.username}">
      <${Avatar} person=${person} />
      <span class="person-names">
        <span class="name" dir="auto">${person.full_name || person.username}${person.is_private && html` <${Icon} name="lock" size=${14} />`}</span>
        <span class="handle"><bdi dir="ltr">@${person.username}</bdi></span>
        ${note && html`<span class="handle">${note}</span>`}
        ${person.bio && html`<span class="person-bio" dir="auto">${person.bio}</span>`}
      </span>
    </a>
    ${actions || html`<${FollowButton} id=${id} />`}
  </article>`;
}
