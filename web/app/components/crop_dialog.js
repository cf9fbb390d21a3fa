// Cutting a square out of a picture: moved and enlarged with sliders, so that keyboards can do it too.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { open } from "../state/dialogs.js";
import { toast } from "../state/toasts.js";
import { Modal } from "./modal.js";

const SIZE = 640;

/** Opens the dialog; a JPEG file of the square, or undefined. */
export function cropped(file) {
  return open(CropDialog, { file });
}

export function CropDialog({ file, close }) {
  const canvas = useRef(null);
  const [picture, setPicture] = useState(null);
  const [place, setPlace] = useState({ zoom: 1, x: 0.5, y: 0.5 });
  useEffect(() => {
    const refuse = () => {
      toast(t("problem.media_failed"), { kind: "bad" });
      close();
    };
    createImageBitmap(file).then(setPicture, refuse);
  }, [file]);
  useEffect(() => {
    if (picture) draw(canvas.current, picture, place);
  }, [picture, place]);
  const done = () => canvas.current.toBlob((blob) => close(new File([blob], "picture.jpg", { type: "image/jpeg" })), "image/jpeg", 0.92);
  const slider = (name, min, max) => html`<label class="slider">${t(`crop.${name}`)}<input type="range" min=${min} max=${max} step="0.01" value=${place[name]} onInput=${(event) => setPlace({ ...place, [name]: Number(event.currentTarget.value) })} /></label>`;
  return html`<${Modal} title=${t("crop.title")} onClose=${() => close()}>
    <canvas ref=${canvas} class="crop" width=${SIZE} height=${SIZE} role="img" aria-label=${t("crop.preview")}></canvas>
    ${slider("zoom", 1, 4)} ${slider("x", 0, 1)} ${slider("y", 0, 1)}
    <div class="form-foot"><button class="button" onClick=${() => close()}>${t("cancel")}</button><button class="button button-primary" disabled=${!picture} onClick=${done}>${t("crop.do")}</button></div>
  <//>`;
}

function draw(canvas, picture, { zoom, x, y }) {
  const side = Math.min(picture.width, picture.height) / zoom;
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, SIZE, SIZE);
  context.drawImage(picture, (picture.width - side) * x, (picture.height - side) * y, side, side, 0, 0, SIZE, SIZE);
}
