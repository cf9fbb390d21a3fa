// Pictures at full size: arrows and swipes change, clicking zooms, the description below.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { Icon } from "./icon.js";
import { useOnce } from "./media_grid.js";
import { Modal } from "./modal.js";

const SWIPE = 50; // pixels

/** Whether a picture itself was clicked, and not the bars beside one that has another shape than the window. Keys click nowhere, and one that is still loading has no shape. */
function isOnPicture({ currentTarget, detail, clientX, clientY }) {
  const picture = currentTarget.querySelector("img");
  const { left, top, width, height } = picture.getBoundingClientRect();
  const scale = Math.min(width / picture.naturalWidth, height / picture.naturalHeight);
  const isWithin = (at, start, whole, drawn) => Math.abs(at - start - whole / 2) <= (drawn * scale) / 2;
  return !detail || !picture.naturalWidth || (isWithin(clientX, left, width, picture.naturalWidth) && isWithin(clientY, top, height, picture.naturalHeight));
}

export function Lightbox({ media: given, index, renew, close }) {
  const [media, setMedia] = useState(given);
  const onMissing = useOnce(media, () => renew().then(setMedia, () => null));
  const [at, setAt] = useState(index);
  const [zoomed, setZoomed] = useState(false);
  const shown = media[at];
  const step = (by) => {
    setZoomed(false);
    setAt((before) => (before + by + media.length) % media.length); // keys may come faster than pictures
  };
  const onwards = document.documentElement.dir === "rtl" ? -1 : 1;
  const pressed = (event) => {
    if (media.length < 2 || event.target.matches("video")) return; // there they wind
    if (event.key === "ArrowRight") step(onwards);
    if (event.key === "ArrowLeft") step(-onwards);
  };
  useEffect(() => {
    document.addEventListener("keydown", pressed); // whatever has the focus: what had it may be gone with the picture
    return () => document.removeEventListener("keydown", pressed);
  });
  const clicked = (event) => (zoomed || isOnPicture(event) ? setZoomed(!zoomed) : close());
  const from = useRef(NaN);
  const touched = ({ touches }) => (from.current = touches.length === 1 ? touches[0].clientX : NaN); // two fingers zoom
  const swiped = ({ changedTouches }) => {
    const by = changedTouches[0].clientX - from.current;
    if (media.length > 1 && !zoomed && Math.abs(by) > SWIPE) step(by < 0 ? onwards : -onwards);
  };
  return html`<${Modal} title=${t("media.of", { number: at + 1, count: media.length })} onClose=${close} full>
    <div class="lightbox ${zoomed ? "lightbox-zoomed" : ""}" onTouchStart=${touched} onTouchEnd=${swiped}>
      ${shown.type === "image"
        ? html`<button type="button" class="lightbox-picture" aria-label=${t("media.zoom")} aria-pressed=${zoomed} onClick=${clicked}><img src=${shown.url} alt=${shown.description || ""} onError=${onMissing} /></button>`
        : html`<video src=${shown.url} poster=${shown.preview_url} controls playsinline onError=${onMissing}></video>`}
      ${media.length > 1 &&
      html`<div class="lightbox-steps">
        <button type="button" class="icon-button" aria-label=${t("media.previous")} onClick=${() => step(-1)}><span class="flips"><${Icon} name="left" /></span></button>
        <button type="button" class="icon-button" aria-label=${t("media.next")} onClick=${() => step(1)}><span class="flips"><${Icon} name="right" /></span></button>
      </div>`}
      ${shown.description && html`<p class="lightbox-text" dir="auto">${shown.description}</p>`}
    </div>
  <//>`;
}
