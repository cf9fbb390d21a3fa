// How the interface looks on this device, and in which language it speaks.
import { html } from "../../html.js";
import { choose, language, LANGUAGES, t } from "../../i18n/i18n.js";
import { appearance, setAppearance } from "../../state/appearance.js";
import { complain } from "../../state/toasts.js";
import { Choice } from "../../components/field.js";

const OPTIONS = {
  theme: ["system", "light", "dark"],
  size: ["small", "medium", "large"],
  density: ["cosy", "compact"],
  motion: ["system", "reduced"],
};

export function Appearance() {
  return html`<div class="form">
    ${Object.entries(OPTIONS).map(
      ([name, values]) => html`<${Choice} key=${name} label=${t(`appearance.${name}`)} value=${appearance.value[name]} options=${values.map((value) => [value, t(`appearance.${name}.${value}`)])} onChange=${(value) => setAppearance({ [name]: value })} />`,
    )}
  </div>`;
}

export function Language() {
  return html`<div class="form"><${Choice} label=${t("language.label")} value=${language.value} options=${Object.entries(LANGUAGES)} onChange=${(name) => choose(name).catch(complain)} /></div>`;
}
