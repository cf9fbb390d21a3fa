// The pictures and videos of a post that is being written: progress, description, order.
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { effect, signal } from "@preact/signals";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { patch } from "../api/client.js";
import { prepared, upload } from "../api/uploads.js";
import { user } from "../api/session.js";
import { draft, keepDraft, keyOf } from "../state/drafts.js";
import { media as known } from "../state/entities.js";
import { explain } from "../state/problems.js";
import { complain, toast } from "../state/toasts.js";
import { Icon } from "./icon.js";
import { Toggle } from "./field.js";

const MOST = 4;

/** Those of each draft by its key: uploads go on while the text is not shown. @type {Map<string, import("@preact/signals").Signal<any[]>>} */
const strips = new Map();
effect(() => {
  if (user.value) return;
  for (const strip of strips.values()) {
    strip.peek().forEach((each) => each.abort?.abort());
    strip.value = [];
  }
});

/**
 * The pictures and videos of a text that is being written: at first those of its draft, else those that it has been shown with;
 * and those that are being uploaded. Which the server does not have any more fall out.
 * @param {string} place
 * @param {import("#api").Media[]} shown
 * @returns {[any[], (change: (before: any[]) => any[]) => void]}
 */
export function useMedia(place, shown = []) {
  const [{ strip, setMedia }] = useState(() => stripOf(place, shown));
  const media = strip.value;
  useEffect(() => {
    for (const { id, abort, media: found } of media) if (!found && !abort) bring(id, setMedia, ({ signal }) => prepared(id, signal).catch(unlessGone)).send();
  }, []);
  useLayoutEffect(() => media.forEach((each) => each.media && known.put(each.media)), [media]);
  return [media, setMedia];
}

function stripOf(place, shown) {
  shown.forEach((each) => known.put(each));
  const key = keyOf(place);
  const strip = strips.get(key) || signal([]);
  strips.set(key, strip);
  const running = strip.peek().filter((each) => each.abort && !each.media);
  const ids = draft(place)?.media_ids || shown.map((each) => each.id);
  const kept = ids.map((id) => running.find((each) => each.id === id) || { key: id, id, media: known.of(id).peek(), progress: 1 });
  strip.value = [...kept, ...running.filter((each) => !each.id)];
  const setMedia = (change) => {
    strip.value = change(strip.peek());
    keepDraft(place, { content: "", ...draft(place), media_ids: idsOf(strip.peek()) });
  };
  return { strip, setMedia };
}

function unlessGone(problem) {
  if (problem.status !== 404) throw problem;
  return null;
}

/** What a draft keeps of them. */
export const idsOf = (media) => media.map((each) => each.id).filter(Boolean);

/** Starts uploading files of these types, up to `most` of them; `setMedia` is the composer's. */
export function addFiles(files, setMedia, most = MOST, types = /^(image|video)\//) {
  const wanted = files.filter((file) => types.test(file.type));
  if (wanted.length < files.length) toast(t("problem.media_failed"), { kind: "bad" });
  setMedia((before) => {
    if (wanted.length > most - before.length) toast(t("composer.most", { count: most }));
    const added = wanted.slice(0, most - before.length).map((file) => start(file, setMedia));
    return [...before, ...added];
  });
}

/** What makes an element take files that are dropped on it; text goes where it is dropped. */
export const droppable = (take) => ({
  onDragOver: (event) => hasFiles(event) && event.preventDefault(),
  onDrop(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  },
});
const hasFiles = ({ dataTransfer }) => dataTransfer.types.includes("Files");

function start(file, setMedia) {
  const key = crypto.randomUUID();
  const { abort, retry, send } = bring(key, setMedia, (options) => upload(file, options));
  send();
  return { key, preview: file.type.startsWith("image/") ? URL.createObjectURL(file) : "", progress: 0, abort, retry };
}

/** Brings the media of one, or takes it away when there are none. */
function bring(key, setMedia, work) {
  const abort = new AbortController();
  const change = (changes) => setMedia((all) => all.map((each) => (each.key === key ? { ...each, ...changes } : each)));
  const drop = () => setMedia((all) => all.filter((each) => each.key !== key));
  const options = { signal: abort.signal, onProgress: (progress) => change({ progress }), onReceived: (id) => change({ id }) };
  const send = () =>
    work(options).then(
      (media) => (media ? change({ media, progress: 1 }) : drop()),
      (problem) => problem.name === "AbortError" || change({ problem, retry }),
    );
  const retry = () => {
    change({ problem: null, progress: 0 });
    send();
  };
  return { abort, retry, send };
}

/** Without `onSensitive` there is no such choice: comments have none. */
export function MediaStrip({ media, setMedia, sensitive = false, onSensitive = null }) {
  const remove = (gone) => {
    gone.abort?.abort();
    setMedia((all) => all.filter((each) => each !== gone));
  };
  // Kept with every key: another upload's progress draws this field again.
  const say = (key, description) => setMedia((all) => all.map((each) => (each.key === key ? { ...each, media: { ...each.media, description } } : each)));
  const move = (index, by) =>
    setMedia((all) => {
      const moved = [...all];
      [moved[index], moved[index + by]] = [moved[index + by], moved[index]];
      return moved;
    });
  return html`<div class="strip">
    <ul class="strip-list">
      ${media.map(
        (each, index) => html`<li key=${each.key} class="strip-one">
          <img src=${each.media?.preview_url || each.preview || each.media?.url} alt="" />
          ${!each.media && !each.problem && html`<progress key=${each.progress < 1} max="1" ...${each.progress < 1 ? { value: each.progress } : {}} aria-label=${t("composer.uploading")}></progress>`}
          ${each.problem && html`<p class="field-error" role="alert">${explain(each.problem)}</p>`}
          ${each.problem?.temporary && html`<button type="button" class="link" onClick=${each.retry}>${t("failed.retry")}</button>`}
          <div class="strip-tools">
            ${index > 0 && html`<button type="button" class="icon-button" aria-label=${t("composer.earlier")} onClick=${() => move(index, -1)}><span class="flips"><${Icon} name="left" size=${16} /></span></button>`}
            ${index < media.length - 1 && html`<button type="button" class="icon-button" aria-label=${t("composer.later")} onClick=${() => move(index, 1)}><span class="flips"><${Icon} name="right" size=${16} /></span></button>`}
            <button type="button" class="icon-button" aria-label=${t(each.media || each.problem ? "composer.remove" : "cancel")} onClick=${() => remove(each)}><${Icon} name="close" size=${16} /></button>
          </div>
          ${each.media && html`<textarea class="input" rows="2" maxlength="1500" dir="auto" aria-label=${t("composer.description")} placeholder=${t("composer.description")} value=${each.media.description || ""} onInput=${(event) => say(each.key, event.currentTarget.value)} onChange=${(event) => describe(each.media.id, event.currentTarget.value)}></textarea>`}
        </li>`,
      )}
    </ul>
    ${onSensitive && html`<${Toggle} label=${t("composer.sensitive")} checked=${sensitive} onChange=${onSensitive} />`}
  </div>`;
}

async function describe(id, description) {
  try {
    await patch(`/media/${id}`, { description });
  } catch (problem) {
    complain(problem);
  }
}
