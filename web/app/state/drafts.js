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
  else localStorage.removeItem(key(place));
}

/** What was uploaded for the text is kept as long as the page is open. @type {Map<string, import("#api").Media[]>} */
const uploads = new Map();

export const draftMedia = (place) => uploads.get(key(place));
export const keepDraftMedia = (place, media) => void uploads.set(key(place), media);

export function dropDraft(place) {
  uploads.delete(key(place));
  localStorage.removeItem(key(place));
}
