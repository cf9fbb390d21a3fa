// Texts that were begun: kept on this device, for each person and place.
import { user } from "../api/session.js";

const key = (place) => `draft:${user.value?.id}:${place}`;

export function draft(place) {
  try {
    return JSON.parse(localStorage.getItem(key(place))) || null;
  } catch {
    return null;
  }
}

export function keepDraft(place, content) {
  if (content.content || content.content_warning) localStorage.setItem(key(place), JSON.stringify(content));
  else dropDraft(place);
}

export function dropDraft(place) {
  localStorage.removeItem(key(place));
}
