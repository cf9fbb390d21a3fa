// Shows the dialogs of state/dialogs.js.
import { html } from "../html.js";
import { installHooks } from "../api/client.js";
import { dialogs, open } from "../state/dialogs.js";
import { ComposeDialog } from "./compose_dialog.js";
import { ConfirmDialog } from "./confirm_dialog.js";
import { HistoryDialog } from "./history_dialog.js";
import { Lightbox } from "./lightbox.js";
import { MetricsDialog } from "./metrics_dialog.js";
import { ReactionsDialog } from "./reactions_dialog.js";
import { ReportDialog } from "./report_dialog.js";
import { JoinDialog, QuestionDialog, ShortcutsDialog } from "./small_dialogs.js";

const KINDS = {
  compose: ComposeDialog,
  confirm: ConfirmDialog,
  history: HistoryDialog,
  join: JoinDialog,
  lightbox: Lightbox,
  metrics: MetricsDialog,
  question: QuestionDialog,
  reactions: ReactionsDialog,
  report: ReportDialog,
  shortcuts: ShortcutsDialog,
};

installHooks({ confirm: (methods) => open("confirm", { methods }) });

export function Dialogs() {
  return dialogs.value.map(({ kind, ...properties }, index) => html`<${KINDS[kind] || kind} key=${index} ...${properties} />`);
}
