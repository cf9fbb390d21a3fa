"""Finds URLs in a text, so that nothing inside them is taken for a mention or hashtag. After UTS #58 (link detection).

It recognizes URLs with a scheme, domains with a path, query or port, and paths. A URL ends at white space, a
quotation mark or CJK punctuation; a closing bracket ends it unless it was opened inside, and punctuation at its end
is not part of it.
"""

from typing import Final, NamedTuple

import regex

from socialapp.core.text.characters import AT_SIGNS, NUMBER_SIGNS

_SCHEMES_WITHOUT_AUTHORITY: Final = "mailto|magnet|xmpp|matrix|sips|sip|tel|geo|urn|data|acct|bitcoin"
_CJK_PUNCTUATION: Final = "、。〈〉《》「」『』【】〔〕！（），：；？［］｛｝"
_STOP: Final = rf"\s\p{{Cc}}\p{{Bidi_Control}}<>\"`“”„«»{_CJK_PUNCTUATION}"
_PARAMETERS: Final = r"[\w%.\-+&;]*+"
_BRACKETS: Final = {")": "(", "]": "[", "}": "{"}

# After a top-level domain, also in its ASCII form, or an IPv4 address.
_END_OF_HOST: Final = (
    r"(?<=\.[\p{L}\p{M}]{2,63}) | (?<=\.xn--[A-Za-z0-9\-]{1,59}) | (?<=(?<![\w.\-])[0-9]{1,3}(?:\.[0-9]{1,3}){3})"
)

_BEGINNING: Final = regex.compile(
    rf"""(?V1)
      (?<![A-Za-z0-9+.\-]) [A-Za-z0-9+.\-]++ :// (?=[^{_STOP}])
    | (?<![A-Za-z0-9+.\-]) (?i:{_SCHEMES_WITHOUT_AUTHORITY}) : (?=[^{_STOP}])
    | (?<![\w.\-{AT_SIGNS}{NUMBER_SIGNS}]) [\w.\-]++
        (?:
            (?:{_END_OF_HOST}) (?: / | \?{_PARAMETERS}[=\#] | \#(?=[{AT_SIGNS}]) )
          | :\d{{1,5}} (?: / | \?{_PARAMETERS}= )
        )
    | (?<![\w/:]) (?:\.\.?|~)?/ (?=[^{_STOP}])
    """,
    regex.VERBOSE,
)
_PLAIN: Final = regex.compile(rf"(?V1)[^{_STOP}()\[\]{{}}]++")
_HOST: Final = regex.compile(r"(?V1)(?:[A-Za-z0-9+.\-]++://)?(?:[^/?#\s@]*@)?(?P<host>[\w\-]+(?:\.[\w\-]+)+)")
_FINAL_PUNCTUATION: Final = ".,;:!?'’…*~"


class Span(NamedTuple):
    """A part of a text."""

    start: int
    end: int


def find_urls(text: str) -> list[Span]:
    """The positions of the URLs of a text, in order."""
    spans = []
    position = 0
    while beginning := _BEGINNING.search(text, position):
        position = _end_of_url(text, beginning.end())
        end = beginning.start() + len(text[beginning.start() : position].rstrip(_FINAL_PUNCTUATION))
        spans.append(Span(beginning.start(), end))
    return spans


def link_hosts(text: str) -> list[str]:
    """The hosts, in lower case, that the links of a text lead to; paths and URLs without a host have none."""
    found = []
    for span in find_urls(text):
        host = _HOST.match(text, span.start, span.end)
        if host is not None:
            found.append(host["host"].lower())
    return found


def without_urls(text: str) -> str:
    """The text with its URLs replaced by spaces, so that positions stay the same."""
    pieces = []
    position = 0
    for span in find_urls(text):
        pieces += [text[position : span.start], " " * (span.end - span.start)]
        position = span.end
    return "".join(pieces) + text[position:]


def _end_of_url(text: str, position: int) -> int:
    """The end of a URL whose beginning was read up to `position`."""
    opened: list[str] = []
    while position < len(text):
        if plain := _PLAIN.match(text, position):
            position = plain.end()
        elif text[position] in _BRACKETS.values():
            opened.append(text[position])
            position += 1
        elif opened and _BRACKETS.get(text[position]) == opened[-1]:
            opened.pop()
            position += 1
        else:
            return position
    return position
