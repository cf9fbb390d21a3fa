// Plain text as people wrote it, with links, mentions and hashtags. Everything becomes text nodes: nothing is HTML.
import { html } from "../html.js";

const TOKEN = /(https?:\/\/[^\s<>"']+)|(?<![\p{L}\p{N}_@])@([A-Za-z0-9_]{1,30})|(?<![\p{L}\p{N}_&/#])#([\p{L}\p{N}_\p{M}]{1,100})/gu;
const TRAILING = /[.,;:!?)\]}…]+$/;
const SHOWN = 48;

/** @type {[string, RegExp][]} */
const SCRIPTS = [
  ["ja", /[\p{Script=Hiragana}\p{Script=Katakana}]/u],
  ["ko", /\p{Script=Hangul}/u],
  ["zh", /\p{Script=Han}/u],
  ["ar", /\p{Script=Arabic}/u],
  ["he", /\p{Script=Hebrew}/u],
  ["el", /\p{Script=Greek}/u],
  ["th", /\p{Script=Thai}/u],
  ["hi", /\p{Script=Devanagari}/u],
];

/** The language that a script stands for, so that fonts and screen readers fit; undefined where it could be many. */
function languageOf(text) {
  return SCRIPTS.find(([, script]) => script.test(text))?.[0];
}

/** `mentions`: the people who exist; others stay plain text. */
export function RichText({ text, mentions = null }) {
  return html`<span class="rich" dir="auto" lang=${languageOf(text)}>${pieces(text, mentions)}</span>`;
}

function pieces(text, mentions) {
  const known = mentions && new Map(mentions.map((each) => [each.username.toLowerCase(), each.username]));
  const found = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    const piece = linked(match, known);
    if (!piece) continue;
    found.push(text.slice(at, match.index), piece.node);
    at = match.index + piece.length;
  }
  found.push(text.slice(at));
  return found;
}

function linked([all, url, username, tag], known) {
  if (url) return urlPiece(url);
  if (username) {
    const name = known ? known.get(username.toLowerCase()) : username;
    return name && { length: all.length, node: html`<a href="/@${name}">@${username}</a>` };
  }
  if (/^\d+$/.test(tag)) return null;
  return { length: all.length, node: html`<a href="/hashtags/${encodeURIComponent(tag.toLowerCase())}">#${tag}</a>` };
}

function urlPiece(url) {
  const clean = url.replace(TRAILING, "");
  if (!URL.canParse(clean)) return null;
  const shown = clean.replace(/^https?:\/\/(www\.)?/, "").replace(/\/$/, "");
  const short = shown.length > SHOWN ? `${shown.slice(0, SHOWN)}…` : shown;
  return {
    length: clean.length,
    node: html`<a href=${clean} target="_blank" rel="nofollow noopener noreferrer ugc" title=${clean}>${short}</a>`,
  };
}
