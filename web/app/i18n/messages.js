// Formats ICU messages: arguments, plural (with `#` and `=n`) and select. Source: the ICU MessageFormat syntax.

const parsed = new Map();

/** The text of a message for some values. */
export function format(message, values, language) {
  if (!message.includes("{")) return message;
  let parts = parsed.get(message);
  if (!parts) parsed.set(message, (parts = parse(message)));
  return fill(parts, values, language);
}

/** A list of strings and `{name, kind, options}`. */
export function parse(message) {
  const reader = { text: message, at: 0 };
  return readParts(reader, 0);
}

function readParts(reader, depth) {
  const parts = [];
  let text = "";
  while (reader.at < reader.text.length) {
    const character = reader.text[reader.at];
    if (character === "}" && depth > 0) break;
    reader.at += 1;
    if (character === "{") {
      if (text) parts.push(text);
      text = "";
      parts.push(readArgument(reader, depth));
    } else {
      text += character;
    }
  }
  if (text) parts.push(text);
  return parts;
}

function readArgument(reader, depth) {
  const name = readUntil(reader, ",}");
  if (reader.text[reader.at++] === "}") return { name };
  const kind = readUntil(reader, ",");
  reader.at += 1;
  const options = {};
  while (reader.text[reader.at] !== "}") {
    const option = readUntil(reader, "{");
    if (!option) throw new Error(`bad message: ${reader.text}`);
    reader.at += 1;
    options[option] = readParts(reader, depth + 1);
    reader.at += 1;
    while (/\s/.test(reader.text[reader.at])) reader.at += 1;
  }
  reader.at += 1;
  return { name, kind, options };
}

function readUntil(reader, ends) {
  const start = reader.at;
  while (reader.at < reader.text.length && !ends.includes(reader.text[reader.at])) reader.at += 1;
  return reader.text.slice(start, reader.at).trim();
}

function fill(parts, values, language, number) {
  return parts
    .map((part) => {
      if (typeof part === "string") return number === undefined ? part : part.replaceAll("#", number);
      const value = values[part.name];
      if (!part.kind) return typeof value === "number" ? value.toLocaleString(language) : String(value ?? "");
      const isPlural = part.kind === "plural";
      const chosen = isPlural ? pluralOption(part.options, value, language) : part.options[value] || part.options.other;
      return fill(chosen, values, language, isPlural ? Number(value).toLocaleString(language) : number);
    })
    .join("");
}

function pluralOption(options, value, language) {
  return options[`=${value}`] || options[new Intl.PluralRules(language).select(value)] || options.other;
}
