/** Language, theme, loudness and single keys: this console's own settings. */
import { html } from "../html.js";
import { LOCALES, t } from "../i18n.js";
import { locale, singleKeys, theme, volume } from "../prefs.js";

const NAMES = /** @type {Record<string, string>} */ ({ en: "English", "zh-CN": "中文" });

export function LanguageSwitch() {
  return html`<div class="segments" role="group" aria-label="Language 语言">${LOCALES.map((name) => html`<button key=${name} type="button" lang=${name}
    aria-pressed=${locale.value === name ? "true" : "false"} onClick=${() => { locale.value = name; }}>${NAMES[name]}</button>`)}</div>`;
}

function ThemeSwitch() {
  return html`<div class="segments" role="group" aria-label=${t("settings.theme")}>${["dark", "light", "auto"].map((name) => html`<button key=${name} type="button"
    aria-pressed=${theme.value === name ? "true" : "false"} onClick=${() => { theme.value = name; }}>${t(`theme.${name}`)}</button>`)}</div>`;
}

/** The settings, as the body of a menu. */
export function Switches() {
  return html`<div class="settings"><div class="setting"><span>${t("settings.language")}</span><${LanguageSwitch} /></div>
    <div class="setting"><span>${t("settings.theme")}</span><${ThemeSwitch} /></div>
    <label class="setting"><span>${t("settings.volume")}</span><input type="range" min="0" max="1" step="0.1" value=${volume.value}
      onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => { volume.value = Number(event.currentTarget.value); }} /></label>
    <label class="setting"><span>${t("settings.single_keys")}</span><input type="checkbox" checked=${singleKeys.value}
      onChange=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => { singleKeys.value = event.currentTarget.checked; }} /></label></div>`;
}
