// Shows the dialogs of state/dialogs.js.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { installHooks } from "../api/client.js";
import { dialogs, open } from "../state/dialogs.js";
import { Problem } from "../api/problem.js";
import { complain } from "../state/toasts.js";
import { ComposeDialog } from "./compose_dialog.js";
import { Lightbox } from "./lightbox.js";
import { JoinDialog, QuestionDialog, ShortcutsDialog } from "./small_dialogs.js";

/** A dialog that is loaded when it is asked for. @param {() => Promise<{Dialog: any}>} load */
const later = (load) => (properties) => {
  const [Loaded, setLoaded] = useState(null);
  useEffect(() => {
    const failed = () => {
      complain(new Problem(0));
      properties.close();
    };
    load().then(({ Dialog }) => setLoaded(() => Dialog), failed);
  }, []);
  return Loaded && html`<${Loaded} ...${properties} />`;
};

const KINDS = {
  compose: ComposeDialog,
  confirm: later(() => import("./confirm_dialog.js")),
  history: later(() => import("./history_dialog.js")),
  join: JoinDialog,
  lightbox: Lightbox,
  metrics: later(() => import("./metrics_dialog.js")),
  question: QuestionDialog,
  reactions: later(() => import("./reactions_dialog.js")),
  report: later(() => import("./report_dialog.js")),
  shortcuts: ShortcutsDialog,
};

installHooks({ confirm: (methods) => open("confirm", { methods }) });

export function Dialogs() {
  return dialogs.value.map(({ kind, ...properties }, index) => html`<${KINDS[kind] || kind} key=${index} ...${properties} />`);
}
