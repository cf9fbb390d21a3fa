// How the interface looks on this device. boot.js applies it before the first paint.
import { signal } from "@preact/signals";

function stored() {
  try {
    return JSON.parse(localStorage.getItem("appearance")) || {};
  } catch {
    return {};
  }
}

/** `{theme: system|light|dark, size: small|medium|large, density: cosy|compact, motion: system|reduced}` */
export const appearance = signal({ theme: "system", size: "medium", density: "cosy", motion: "system", ...stored() });

export function setAppearance(changes) {
  appearance.value = { ...appearance.value, ...changes };
  localStorage.setItem("appearance", JSON.stringify(appearance.value));
  const { theme, size, density, motion } = appearance.value;
  const root = document.documentElement;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  Object.assign(root.dataset, { size, density, motion });
}

/** Whether pictures may move by themselves. */
export const canMove = () => appearance.value.motion !== "reduced" && !matchMedia("(prefers-reduced-motion: reduce)").matches;
