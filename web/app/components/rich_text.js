// Plain text as people wrote it, with links, mentions and hashtags. Everything becomes text nodes: nothing is HTML.
import { html } from "../html.js";

// As the server finds them (socialapp/core/text): signs may be full width, scripts without spaces touch a mention, and
// some languages have dots, dashes or joiners inside words.
const UNSPACED = String.raw`\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}\p{scx=Tibetan}\p{Script=Bopomofo}\p{Script=Javanese}\p{Script=Yi}\p{Script=Tai_Le}\p{Script=New_Tai_Lue}\p{Script=Tai_Tham}\p{Script=Tai_Viet}`;
// Emoji have marks too, which end no word: variation selectors, keycaps.
const SPACED = String.raw`(?![${UNSPACED}\p{Default_Ignorable_Code_Point}\p{Me}])[\p{L}\p{N}\p{M}_]`;
/** What may stand before a mention or hashtag. */
export const BEFORE = String.raw`(?<!${SPACED}|[@﹫＠#﹟＃/])`;
// What goes on after a name is somebody or something else: @bob@other.example, @bob:matrix.example, @bob/pkg, @bobé.
const AFTER = String.raw`(?!${SPACED}|[@﹫＠]|\.{1,2}[A-Za-z0-9_]|[\-:\/+\u2010\u2011\u00ad\u2060\u200c\u200d]${SPACED})`;
const LETTERS = String.raw`[\p{L}\p{N}\p{M}_\u05f3]+`;
const STOP = String.raw`\s\p{Cc}\p{Bidi_Control}<>"\u0060“”„«»‹›、。〈〉《》「」『』【】〔〕！（），：；？［］｛｝｡｢｣､`;
const TOKEN = new RegExp(
  [
    String.raw`(?<![A-Za-z0-9+.\-])([Hh][Tt][Tt][Pp][Ss]?:\/\/[^${STOP}]+)`,
    String.raw`${BEFORE}[@﹫＠]([A-Za-z0-9_](?:[A-Za-z0-9_]|\.{1,2}(?=[A-Za-z0-9_])){0,29})${AFTER}`,
    String.raw`(?<!&)${BEFORE}[#﹟＃]((?![\p{M}\u05f3])${LETTERS}(?:[·\u0387・･‧\u05f4\u05be་\u0f0c゠〜～\u200c\u200d]{1,2}${LETTERS})*)`,
  ].join("|"),
  "gu",
);
const BRACKETS = new Map([[")", "("], ["]", "["], ["}", "{"]]);
const FINAL_PUNCTUATION = /[\p{Terminal_Punctuation}\p{Quotation_Mark}…*~]+$/u;
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

/** `mentions`: the people who are meant, whatever their names are by now; others stay plain text. */
export function RichText({ text, mentions = null }) {
  return html`<span class="rich" dir="auto" lang=${languageOf(text)}>${pieces(text, mentions)}</span>`;
}

function pieces(text, mentions) {
  const known = mentions && new Map(mentions.map(({ id, username }) => [username.toLowerCase(), `/profiles/${id}`]));
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
    const place = known ? known.get(username.toLowerCase()) : `/@${username}`;
    return place && { length: all.length, node: html`<a href=${place}>@${username}</a>` };
  }
  if (!/\p{L}/u.test(tag)) return null;
  return { length: all.length, node: html`<a href="/hashtags/${encodeURIComponent(tag.toLowerCase())}">#${tag}</a>` };
}

/** Where a URL ends at the latest: at a closing bracket that was not opened inside. */
function endOfUrl(url) {
  const opened = [];
  for (let at = 0; at < url.length; at += 1) {
    if ("([{".includes(url[at])) opened.push(url[at]);
    else if (BRACKETS.has(url[at]) && opened.pop() !== BRACKETS.get(url[at])) return at;
  }
  return url.length;
}

function urlPiece(url) {
  const clean = url.slice(0, endOfUrl(url)).replace(FINAL_PUNCTUATION, "");
  if (!URL.canParse(clean)) return null;
  const shown = clean.replace(/^https?:\/\/(www\.)?/i, "").replace(/\/$/, "");
  const characters = [...shown];
  const short = characters.length > SHOWN ? `${characters.slice(0, SHOWN).join("")}…` : shown;
  return {
    length: clean.length,
    node: html`<a href=${clean} target="_blank" rel="nofollow noopener noreferrer ugc" title=${clean}>${short}</a>`,
  };
}
