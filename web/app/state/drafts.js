// What was begun: kept on this device, for each person and place. Of pictures and videos, the server has all but their ids.
import { beforeLeaving, user } from "../api/session.js";

const PREFIX = "draft:";
/** The key of a draft of this person. */
export const keyOf = (place) => `${PREFIX}${user.value?.id}:${place}`;
const readable = (text) => {
  try {
    return JSON.parse(text) || null;
  } catch {
    return null;
  }
};

/** @returns {any} */
export const draft = (place) => readable(localStorage.getItem(keyOf(place)));

/** Keeps a text with its settings and `media_ids`; nothing, when there is neither text nor media. */
export function keepDraft(place, content) {
  if (content.content || content.content_warning || content.media_ids?.length) localStorage.setItem(keyOf(place), JSON.stringify(content));
  else localStorage.removeItem(keyOf(place));
}

export function dropDraft(place) {
  localStorage.removeItem(keyOf(place));
}

/** Whoever logs out leaves no pictures behind. */
beforeLeaving.add(() => {
  for (const name of Object.keys(localStorage)) {
    const kept = name.startsWith(PREFIX) && readable(localStorage.getItem(name));
    if (kept?.media_ids) localStorage.setItem(name, JSON.stringify({ ...kept, media_ids: undefined }));
  }
});
