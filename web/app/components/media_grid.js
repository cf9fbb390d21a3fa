// Pictures and videos of a post: in a grid, hidden when sensitive, large when clicked.
import { useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { canMove } from "../state/appearance.js";
import { open } from "../state/dialogs.js";
import { Blurhash } from "./blurhash.js";
import { Icon } from "./icon.js";

// How wide a picture is drawn: alone, or beside others, where it is cut to the shape of its cell. As in card.html.
const ALONE = "(min-width: 44rem) 33rem, calc(100vw - 5.5rem)";
const BESIDE = "(min-width: 44rem) 25rem, 75vw";

/**
 * `renew` reads them again: addresses of what is not public last for minutes, and pages are open for hours.
 * @param {{media: import("#api").Media[], sensitive: boolean, renew?: () => Promise<import("#api").Media[]>}} properties
 */
export function MediaGrid({ media, sensitive, renew = async () => media }) {
  const [shown, setShown] = useState(!sensitive);
  const onMissing = useOnce(media, () => renew().catch(() => null));
  return html`<div class="media media-${Math.min(media.length, 4)}">
    ${media.map((each, index) => html`<${One} key=${each.id} media=${each} hidden=${!shown} onOpen=${() => open("lightbox", { media, index, renew })} onMissing=${onMissing} alone=${media.length === 1} />`)}
    ${!shown &&
    html`<div class="media-cover">
      <p><${Icon} name="eyeOff" size=${20} /> ${t("media.sensitive")}</p>
      <button type="button" class="button" onClick=${() => setShown(true)}>${t("post.show")}</button>
    </div>`}
  </div>`;
}

/** @param {{media: import("#api").Media, hidden: boolean, onOpen: () => void, onMissing: () => void, alone: boolean}} properties */
function One({ media, hidden, onOpen, onMissing, alone }) {
  const [loaded, setLoaded] = useState(false);
  const ratio = media.width && media.height ? Math.min(Math.max(media.width / media.height, 0.8), 2) : 1.5;
  const style = alone ? { aspectRatio: String(ratio) } : undefined;
  const isVideo = media.type === "video" || media.type === "gifv";
  const description = media.description || t(isVideo ? "media.video" : "media.image");
  return html`<div class="media-one" style=${style}>
    ${media.blurhash && !loaded && html`<${Blurhash} hash=${media.blurhash} />`}
    ${!hidden &&
    (isVideo
      ? html`<video src=${media.url} poster=${media.preview_url} controls autoplay=${media.type === "gifv" && canMove()} loop=${media.type === "gifv"} muted=${media.type === "gifv"} playsinline preload="none" aria-label=${description} onLoadedData=${() => setLoaded(true)} onError=${onMissing}></video>`
      : html`<button type="button" class="media-open" aria-label=${t("media.enlarge", { description })} onClick=${onOpen}>
          <img src=${media.preview_url || media.url} srcset=${srcset(media)} sizes=${alone ? ALONE : BESIDE} alt=${media.description || ""} width=${media.width} height=${media.height} loading="lazy" decoding="async" onLoad=${() => setLoaded(true)} onError=${onMissing} />
          ${media.description && html`<span class="media-alt" aria-hidden="true"></span>`}
        </button>`)}
  </div>`;
}

/** Does something once for each of the values that it is about. */
export function useOnce(value, act) {
  const done = useRef(null);
  return () => {
    if (done.current === value) return;
    done.current = value;
    act();
  };
}

/** @param {import("#api").Media} media */
function srcset(media) {
  const known = Object.values(media.sizes || {}).filter((size) => size?.url && size.width);
  return known.map((size) => `${size.url} ${size.width}w`).join(", ") || undefined;
}
