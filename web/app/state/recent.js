// What was searched for on this device.
import { signal } from "@preact/signals";

const MOST = 8;

function stored() {
  try {
    return JSON.parse(localStorage.getItem("searches")) || [];
  } catch {
    return [];
  }
}

export const recent = signal(stored());

export function noteRecent(text) {
  keep([text, ...recent.value.filter((each) => each !== text)].slice(0, MOST));
}

export function forgetRecent() {
  keep([]);
}

function keep(texts) {
  recent.value = texts;
  localStorage.setItem("searches", JSON.stringify(texts));
}
