// Where a post is written or edited.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { newKey } from "../api/client.js";
import { profile } from "../api/session.js";
import { draft, dropDraft, keepDraft } from "../state/drafts.js";
import { contentLimit } from "../state/instance.js";
import { enqueue } from "../state/outbox.js";
import { publish } from "../state/posts.js";
import { go } from "../state/router.js";
import { complain, toast } from "../state/toasts.js";
import { addFiles, droppable, idsOf, MediaStrip, useMedia } from "./media_strip.js";
import { Avatar } from "./avatar.js";
import { Form } from "./form.js";
import { Icon } from "./icon.js";
import { TextArea } from "./text_area.js";

const EMPTY = { content: "", content_warning: "", is_private: false, sensitive: false };

/**
 * `place` names the draft; `edited` is the post being changed, `etag` its version, and `save(changes)` stores it. While it is
 * `covered`, the same draft is written elsewhere.
 * @param {{place?: string, edited?: any, etag?: string, save?: Function, onDone?: Function, focused?: boolean, covered?: boolean}} properties
 */
export function Composer({ place = "new", edited = null, etag = "", save = null, onDone = () => {}, focused = false, covered = false }) {
  const [fields, setFields] = useState(() => ({ ...(edited ? pick(edited) : EMPTY), ...pickDraft(place) }));
  const [media, setMedia] = useMedia(place, edited?.media);
  const [warned, setWarned] = useState(!!fields.content_warning);
  const picker = useRef(null);
  const key = useRef(newKey());
  const change = (changes) => setFields((before) => ({ ...before, ...changes }));
  const isChanged = !edited || !isSame(fields, pick(edited)) || !isSame(media.map((each) => each.key), (edited.media || []).map((each) => each.id));
  useLayoutEffect(() => {
    key.current = newKey(); // another text is another post, also after the first was sent without an answer
    if (covered) return;
    // Before the paint: whoever leaves at once finds it, too.
    if (isChanged) keepDraft(place, { ...fields, media_ids: idsOf(media), ...(edited ? { etag } : {}) });
    else dropDraft(place);
  }, [fields, media, warned]);
  const left = contentLimit() - [...fields.content].length;
  const ready = fields.content.trim() && left >= 0 && media.every((each) => each.media); // a failed one is tried again or removed
  const body = () => ({
    content: fields.content.trim(),
    is_private: fields.is_private,
    ...(media.length || edited?.media?.length ? { media_ids: media.map((each) => each.media.id), sensitive: fields.sensitive } : {}),
    ...(warned && fields.content_warning.trim() ? { content_warning: fields.content_warning.trim() } : edited?.content_warning ? { content_warning: null } : {}),
  });
  const submit = async () => {
    if (!ready) return;
    try {
      if (save) await save(body());
      else {
        const { id, withheld } = await publish(body(), key.current);
        toast(t(withheld ? "withheld.waiting" : "composer.published"), { action: { label: t("composer.view"), run: () => go(`/posts/${id}`) } });
      }
      finish();
    } catch (problem) {
      if (problem.status === 0 && !save) {
        await enqueue("/posts", body(), key.current);
        finish();
      } else if (problem.status !== 412) complain(problem);
    }
  };
  const leave = () => {
    media.forEach((each) => each.abort?.abort());
    setMedia(() => []);
    dropDraft(place);
    onDone();
  };
  const finish = () => {
    if (edited) {
      leave();
      return;
    }
    dropDraft(place);
    setFields({ ...EMPTY, is_private: fields.is_private });
    setMedia(() => []);
    setWarned(false);
    onDone();
  };
  const toText = (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault(); // else it would publish
    event.currentTarget.form.querySelector("textarea").focus();
  };
  const take = (files) => addFiles(files, setMedia);
  return html`<${Form} class="composer" onSubmit=${submit} ...${droppable(take)} aria-label=${t(edited ? "composer.edit" : "composer.title")}>
    <${Avatar} person=${profile.value} />
    <div class="composer-main">
      ${warned && html`<input class="input composer-warning" maxlength="200" dir="auto" aria-label=${t("composer.warning")} placeholder=${t("composer.warning")} value=${fields.content_warning} onKeyDown=${toText} onInput=${(event) => change({ content_warning: event.currentTarget.value })} />`}
      <${TextArea} large label=${t("composer.placeholder")} value=${fields.content} onChange=${(content) => change({ content })} focused=${focused} onFiles=${take} rows=${focused ? 4 : 2} />
      ${media.length > 0 && html`<${MediaStrip} media=${media} setMedia=${setMedia} sensitive=${fields.sensitive} onSensitive=${(sensitive) => change({ sensitive })} />`}
      <div class="composer-foot">
        <input ref=${picker} type="file" class="unseen" tabindex="-1" aria-hidden="true" accept="image/*,video/*" multiple onChange=${(event) => { take([...event.currentTarget.files]); event.currentTarget.value = ""; }} />
        <button type="button" class="icon-button" aria-label=${t("composer.media")} title=${t("composer.media")} onClick=${() => picker.current.click()}><${Icon} name="image" /></button>
        <button type="button" class="icon-button" aria-label=${t("composer.add_warning")} title=${t("composer.add_warning")} aria-pressed=${warned} onClick=${() => setWarned(!warned)}><${Icon} name="warning" /></button>
        <button type="button" class="chip" aria-label="${t("composer.audience")}: ${t(fields.is_private ? "composer.followers" : "composer.public")}" title=${t("composer.audience")} onClick=${() => change({ is_private: !fields.is_private })}>
          <${Icon} name=${fields.is_private ? "lock" : "globe"} size=${16} /> ${t(fields.is_private ? "composer.followers" : "composer.public")}
        </button>
        <span class="composer-left ${left < 0 ? "bad" : ""}" role=${left < 100 ? "status" : undefined}>${left < 500 ? left : ""}</span>
        ${edited && isChanged && html`<button type="button" class="button button-quiet" onClick=${leave}>${t("composer.discard")}</button>`}
        <button class="button button-primary" disabled=${!ready}>${t(edited ? "save" : "composer.publish")}</button>
      </div>
    </div>
  <//>`;
}

/** What was begun before, without its media and the version of the post that it is based on. */
function pickDraft(place) {
  const { etag: _etag, media_ids: _ids, ...fields } = draft(place) || {};
  return fields;
}

const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function pick({ content, content_warning: warning, is_private: isPrivate, sensitive }) {
  return { content, content_warning: warning || "", is_private: isPrivate, sensitive: !!sensitive };
}
