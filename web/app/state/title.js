// The title of the page that is shown.
import { signal } from "@preact/signals";
import { instance } from "./instance.js";

export const title = signal(document.title);

/** Sets the title to a page's name. */
export function setTitle(name) {
  title.value = name ? `${name} · ${instance.value.name}` : instance.value.name;
}
