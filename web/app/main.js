// Starts the client: language, session, then the first view.
import { render } from "preact";
import { html } from "./html.js";
import { App } from "./views/app.js";
import { startI18n } from "./i18n/i18n.js";
import { earlyAnswers } from "./api/early.js";
import { restore } from "./api/session.js";
import { startFocus } from "./state/focus.js";
import { startRouter } from "./state/router.js";
import { startLive } from "./state/live.js";
import { startOutbox } from "./state/outbox.js";
import { startShortcuts } from "./state/shortcuts.js";
import { registerWorker } from "./state/worker.js";

async function start() {
  startRouter();
  await Promise.all([startI18n(), restore(), earlyAnswers()]);
  await new Promise((resolve) => setTimeout(resolve)); // a task of its own: reading the answers was one
  const root = document.getElementById("app");
  root.textContent = "";
  render(html`<${App} />`, root);
  startFocus();
  startLive();
  startOutbox();
  startShortcuts();
  registerWorker();
}

start();
