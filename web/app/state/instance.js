// What this server is and allows: `GET /instance`, with defaults for servers that do not answer it.
import { signal } from "@preact/signals";
import { get } from "../api/client.js";

/** @type {import("@preact/signals").Signal<import("#api").Instance>} */
export const instance = signal({
  name: "socialapp",
  description: "",
  rules: [],
  registration: "open",
  providers: [],
  captcha: null,
  push_key: "",
  limits: { content: 5000 },
  contact: "",
});

let asked = null;

/** Reads it once; again when that failed. */
export function loadInstance() {
  asked ??= get("/instance", { anonymous: true }).then(
    (found) => (instance.value = { ...instance.peek(), ...found }),
    () => (asked = null),
  );
  return asked;
}

export const contentLimit = () => Number(instance.value.limits?.content) || 5000;
