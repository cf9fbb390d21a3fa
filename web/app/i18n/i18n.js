// The interface's language: messages from JSON files, numbers, dates and lists by Intl.
import { signal } from "@preact/signals";
import { takeEarly } from "../api/early.js";
import { format } from "./messages.js";

export const LANGUAGES = {
  en: "English",
  de: "Deutsch",
  es: "Español",
  fr: "Français",
  ar: "العربية",
  ja: "日本語",
  zh: "简体中文",
};

export const language = signal("en");
const messages = signal({});
/** @type {HTMLMetaElement | null} */
const meta = document.querySelector("meta[name=client-root]");
/** Where the files of this release are. */
export const root = meta?.content || "/";

/** Loads the language chosen before, or the one the server took from the browser's. */
export async function startI18n() {
  const chosen = localStorage.getItem("language");
  await use(LANGUAGES[chosen] ? chosen : document.documentElement.lang);
}

/** Shows the interface in a language, and remembers it. */
export async function choose(name) {
  localStorage.setItem("language", name);
  await use(name);
}

async function use(name) {
  const found = LANGUAGES[name] ? name : "en";
  const address = `${root}i18n/${found}.json`;
  const early = await takeEarly(address);
  const answer = early?.ok ? early : await fetch(address);
  if (!answer.ok && found !== "en") return use("en");
  messages.value = await answer.json();
  language.value = found;
  document.documentElement.lang = found;
  document.documentElement.dir = found === "ar" ? "rtl" : "ltr";
}

/** The message of a key, with its arguments filled in. */
export function t(key, values) {
  const message = messages.value[key];
  return message === undefined ? key : format(message, values || {}, language.value);
}

/** "1,234" or "12K". */
export function count(number) {
  const compact = number >= 10_000;
  return new Intl.NumberFormat(language.value, compact ? { notation: "compact", maximumFractionDigits: 1 } : {}).format(number);
}

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const STEPS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "5 min. ago"; dates after a week. */
export function ago(time) {
  const seconds = (Date.now() - new Date(time).getTime()) / 1000;
  if (seconds < 45) return t("time.now");
  if (seconds > 7 * 86_400) return date(time);
  const [unit, size] = STEPS.find(([, step]) => seconds >= step) || ["minute", 60];
  return new Intl.RelativeTimeFormat(language.value, { numeric: "auto", style: "short" }).format(
    -Math.round(seconds / size),
    unit,
  );
}

/** "40 seconds" or "2 minutes". */
export function duration(seconds) {
  const [unit, size] = STEPS.find(([, step]) => seconds >= step) || ["second", 1];
  return new Intl.NumberFormat(language.value, { style: "unit", unit, unitDisplay: "long" }).format(Math.ceil(seconds / size));
}

/** "3 Nov 2026", without the year in the present one. */
export function date(time) {
  const when = new Date(time);
  /** @type {Intl.DateTimeFormatOptions} */
  const year = when.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
  return new Intl.DateTimeFormat(language.value, { day: "numeric", month: "short", ...year }).format(when);
}

/** Date and time in full. */
export function moment(time) {
  return new Intl.DateTimeFormat(language.value, { dateStyle: "medium", timeStyle: "short" }).format(new Date(time));
}

/** "November 2026". */
export function month(time) {
  return new Intl.DateTimeFormat(language.value, { month: "long", year: "numeric" }).format(new Date(time));
}

/** "Ann, Bo and Cy". */
export function list(names) {
  return new Intl.ListFormat(language.value).format(names);
}
