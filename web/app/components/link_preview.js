// The card of the first link in a post: site, title, the beginning of the text, and a picture that this server keeps.
import { html } from "../html.js";

/** @param {{preview: import("#api").LinkPreview}} properties */
export function LinkPreview({ preview }) {
  const { url, title, description, site_name: site, image } = preview;
  if (!/^https?:/.test(url)) return null;
  return html`<a class="link-preview" href=${url} target="_blank" rel="nofollow noopener noreferrer ugc">
    ${image && html`<img src=${image.url} width=${image.width} height=${image.height} alt="" loading="lazy" decoding="async" />`}
    <span class="link-preview-text">
      <span class="handle" dir="auto">${site || new URL(url).hostname}</span>
      <span class="name" dir="auto">${title}</span>
      ${description && html`<span class="hint" dir="auto">${description}</span>`}
    </span>
  </a>`;
}
