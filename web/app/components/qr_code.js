// A QR code, drawn as one path.
import { encode } from "uqr";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";

export function QrCode({ text }) {
  const { size, data } = encode(text, { border: 0 });
  const squares = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")));
  return html`<svg class="qr" viewBox="0 0 ${size} ${size}" role="img" aria-label=${t("totp.qr")}><path fill="#000" d=${squares.join("")} /></svg>`;
}
