// Name, biography and picture.
import { useRef, useState } from "preact/hooks";
import { html } from "../../html.js";
import { t } from "../../i18n/i18n.js";
import { patch } from "../../api/client.js";
import { profile } from "../../api/session.js";
import { upload } from "../../api/uploads.js";
import { cropped } from "../../components/crop_dialog.js";
import { Avatar } from "../../components/avatar.js";
import { Field } from "../../components/field.js";
import { Form } from "../../components/form.js";
import { putPerson } from "../../state/entities.js";
import { explainField } from "../../state/problems.js";
import { complain, toast } from "../../state/toasts.js";

export function ProfileSettings() {
  const own = profile.value;
  const [fields, setFields] = useState({ full_name: own.full_name || "", bio: own.bio || "" });
  const [problem, setProblem] = useState(null);
  const [progress, setProgress] = useState(null);
  const [picker, headerPicker] = [useRef(null), useRef(null)];
  const store = async (changes) => {
    const saved = await patch("/profiles/me", changes);
    profile.value = { ...own, ...saved };
    putPerson(saved);
    toast(t("saved"));
  };
  const save = async () => {
    setProblem(null);
    await store(fields).catch((failure) => (failure.errors?.length ? setProblem(failure) : complain(failure)));
  };
  /** Stores what was picked as the media that `field` names, after `prepared` has had it. */
  const pick = (field, prepared) => async (event) => {
    const [file] = event.currentTarget.files;
    event.currentTarget.value = "";
    const image = file && (await prepared(file));
    if (!image) return;
    try {
      setProgress(0);
      const media = await upload(image, { onProgress: setProgress });
      await store({ [field]: media.id });
    } catch (failure) {
      complain(failure);
    } finally {
      setProgress(null);
    }
  };
  const input = (name) => (event) => setFields({ ...fields, [name]: event.currentTarget.value });
  return html`<${Form} class="form" onSubmit=${save}>
    <div class="picture-row">
      <${Avatar} person=${own} size="huge" />
      <div class="picture-choices">
        <input ref=${picker} type="file" class="unseen" tabindex="-1" aria-hidden="true" accept="image/*" onChange=${pick("profile_picture_media_id", cropped)} />
        <button type="button" class="button" disabled=${progress !== null} onClick=${() => picker.current.click()}>${t("profile.picture.change")}</button>
        ${own.profile_picture && html`<button type="button" class="link" onClick=${() => store({ profile_picture_media_id: null }).catch(complain)}>${t("profile.picture.remove")}</button>`}
      </div>
    </div>
    <div class="picture-row">
      ${own.header_picture && html`<img class="picture-header" src=${own.header_picture} alt="" decoding="async" />`}
      <div class="picture-choices">
        <input ref=${headerPicker} type="file" class="unseen" tabindex="-1" aria-hidden="true" accept="image/*" onChange=${pick("header_picture_media_id", async (file) => file)} />
        <button type="button" class="button" disabled=${progress !== null} onClick=${() => headerPicker.current.click()}>${t("profile.header.change")}</button>
        ${own.header_picture && html`<button type="button" class="link" onClick=${() => store({ header_picture_media_id: null }).catch(complain)}>${t("profile.header.remove")}</button>`}
      </div>
    </div>
    ${progress !== null && html`<progress max="1" value=${progress} aria-label=${t("composer.uploading")}></progress>`}
    <${Field} label=${t("signup.full_name")} autocomplete="name" maxlength="100" dir="auto" value=${fields.full_name} error=${explainField(problem, "full_name")} onInput=${input("full_name")} />
    <${Field} label=${t("profile.bio")} multiline rows="4" maxlength="500" dir="auto" value=${fields.bio} error=${explainField(problem, "bio")} onInput=${input("bio")} />
    <div class="form-foot"><button class="button button-primary">${t("save")}</button></div>
  <//>`;
}
