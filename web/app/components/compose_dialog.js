// The composer over the page: a new post, or the edit of one with care for edits made elsewhere.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n/i18n.js";
import { ask } from "../state/dialogs.js";
import { draft, dropDraft } from "../state/drafts.js";
import { readForEdit, saveEdit } from "../state/posts.js";
import { complain, toast } from "../state/toasts.js";
import { Composer } from "./composer.js";
import { Modal } from "./modal.js";
import { Spinner } from "./skeleton.js";

export function ComposeDialog({ edits = null, close }) {
  const [current, setCurrent] = useState(null);
  const place = edits ? `edit:${edits}` : "new";
  useEffect(() => {
    if (edits) readForEdit(edits).then(begin, (problem) => { complain(problem); close(); });
  }, [edits]);
  // Changes that were kept belong to the version of then: if the post was changed since, saving them asks.
  const begin = ({ post, etag }) => setCurrent({ post, etag: draft(place)?.etag || etag });
  const leave = () => {
    if (edits && draft(place)) toast(t("composer.kept"));
    close();
  };
  const save = async (changes) => {
    try {
      await saveEdit(edits, changes, current.etag);
      toast(t("composer.saved"));
    } catch (problem) {
      if (problem.status === 412) await resolve(changes);
      throw problem;
    }
  };
  const resolve = async (changes) => {
    const newer = await readForEdit(edits);
    const yes = await ask({ title: t("conflict.title"), text: t("conflict.text", { theirs: newer.post.content }), yes: t("conflict.mine") });
    if (!yes) return;
    await saveEdit(edits, changes, newer.etag);
    dropDraft(place);
    close();
  };
  const title = t(edits ? "composer.edit" : "composer.title");
  return html`<${Modal} title=${title} onClose=${leave} guarded>
    ${edits && !current ? html`<${Spinner} />` : html`<${Composer} place=${place} edited=${current?.post} etag=${current?.etag} save=${edits ? save : null} onDone=${close} focused />`}
  <//>`;
}
