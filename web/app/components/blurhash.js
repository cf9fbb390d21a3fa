// A blurred preview from its blurhash. Source: the algorithm at https://github.com/woltapp/blurhash.
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";
const SIZE = 32;

export function Blurhash({ hash }) {
  const canvas = useRef(null);
  useEffect(() => {
    const pixels = decode(hash);
    if (pixels) canvas.current.getContext("2d").putImageData(new ImageData(pixels, SIZE, SIZE), 0, 0);
  }, [hash]);
  return html`<canvas ref=${canvas} class="blurhash" width=${SIZE} height=${SIZE} aria-hidden="true"></canvas>`;
}

const number = (text) => [...text].reduce((sum, digit) => sum * 83 + DIGITS.indexOf(digit), 0);
const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const signedSquare = (value) => Math.sign(value) * value * value;

function srgb(value) {
  const bounded = Math.max(0, Math.min(1, value));
  return Math.round(255 * (bounded <= 0.0031308 ? bounded * 12.92 : 1.055 * bounded ** (1 / 2.4) - 0.055));
}

/** RGBA of SIZE × SIZE pixels; null for what is no blurhash. */
export function decode(hash) {
  const flags = number(hash[0] || "");
  const across = (flags % 9) + 1;
  const down = Math.floor(flags / 9) + 1;
  if (hash.length !== 4 + 2 * across * down) return null;
  const largest = (number(hash[1]) + 1) / 166;
  const colors = Array.from({ length: across * down }, (_, index) => {
    if (index === 0) {
      const value = number(hash.slice(2, 6));
      return [linear(value >> 16), linear((value >> 8) & 255), linear(value & 255)];
    }
    const value = number(hash.slice(4 + index * 2, 6 + index * 2));
    return [Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19].map((part) => signedSquare((part - 9) / 9) * largest);
  });
  return paint(colors, across, down);
}

function paint(colors, across, down) {
  const pixels = new Uint8ClampedArray(SIZE * SIZE * 4);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const sum = [0, 0, 0];
      for (let j = 0; j < down; j++) {
        for (let i = 0; i < across; i++) {
          const basis = Math.cos((Math.PI * x * i) / SIZE) * Math.cos((Math.PI * y * j) / SIZE);
          for (let part = 0; part < 3; part++) sum[part] += colors[i + j * across][part] * basis;
        }
      }
      pixels.set([srgb(sum[0]), srgb(sum[1]), srgb(sum[2]), 255], 4 * (x + y * SIZE));
    }
  }
  return pixels;
}
