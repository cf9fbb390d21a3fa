"""Shows where a hit matches: made from the text that the caller may read now, never from what the index holds."""

from html import escape

from apps.search.queries.language import Criteria, Phrase, Token, tokens

_LENGTH = 280
_LEAD = 60


def mark_phrases(text: str, criteria: Criteria) -> str | None:
    """The part of `text` around the first match as HTML, all matches in <em>; None when nothing matches."""
    found = list(tokens(text))
    wanted = {*criteria.phrases, *(tuple(token.word for token in tokens(tag)) for tag in criteria.tags)}
    return _excerpt(text, sorted(span for phrase in wanted for span in _spans_of(found, phrase)))


def mark_beginnings(text: str, words: list[str]) -> str | None:
    """The same for words of `text` that begin with one of `words`."""
    spans = [(token.start, token.end) for token in tokens(text) if any(token.word.startswith(word) for word in words)]
    return _excerpt(text, spans)


def mark_tag(tag: str, prefixes: list[str]) -> str | None:
    """The hashtag with the typed beginning in <em>."""
    length = max((len(prefix) for prefix in prefixes if tag.startswith(prefix)), default=0)
    return f"#<em>{escape(tag[:length])}</em>{escape(tag[length:])}" if length else None


def _spans_of(found: list[Token], phrase: Phrase) -> list[tuple[int, int]]:
    size = len(phrase)
    if not size:
        return []
    words = [token.word for token in found]
    return [
        (found[index].start, found[index + size - 1].end)
        for index in range(len(words) - size + 1)
        if tuple(words[index : index + size]) == phrase
    ]


def _excerpt(text: str, spans: list[tuple[int, int]]) -> str | None:
    if not spans:
        return None
    start = max(spans[0][0] - _LEAD, 0) if len(text) > _LENGTH else 0
    end = max(start + _LENGTH, spans[0][1])
    pieces, position = ["…" if start else ""], start
    for first, last in spans:
        if first < position or last > end:
            continue
        pieces += [escape(text[position:first]), "<em>", escape(text[first:last]), "</em>"]
        position = last
    pieces += [escape(text[position:end]), "…" if end < len(text) else ""]
    return "".join(pieces)
