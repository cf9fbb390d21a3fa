"""Finds URLs in a text, so that nothing inside them is taken for a mention or hashtag. After UTS #58 (link detection).

It recognizes URLs with a scheme, domains with a path, query or port, and paths. A URL ends at white space, a
quotation mark or CJK punctuation; a closing bracket ends it unless it was opened inside, and punctuation of any script
at its end is not part of it.
"""

from typing import Final, NamedTuple
from urllib.parse import unquote

import regex

from socialapp.core.text.characters import AT_SIGNS, NUMBER_SIGNS
from socialapp.core.text.domains import ascii_domain

_SCHEMES_WITHOUT_AUTHORITY: Final = "mailto|magnet|xmpp|matrix|sips|sip|tel|geo|urn|data|acct|bitcoin"
_CJK_PUNCTUATION: Final = "、。〈〉《》「」『』【】〔〕！（），：；？［］｛｝｡｢｣､"
_STOP: Final = rf"\s\p{{Cc}}\p{{Bidi_Control}}<>\"`“”„«»‹›{_CJK_PUNCTUATION}"
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
# As browsers read it (URL Standard, 4.4): the host follows the last @, a backslash is a slash, and further slashes
# after the first two do not count.
_HOST: Final = regex.compile(
    r"""(?V1)
      (?: (?i:https?) ://[/\\]*+ | [A-Za-z0-9+.\-]++ :// ) (?:[^/?\#\\]*@)? (?P<host> \[[^\]]*\] | [^/?\#\\:\[\]]++ )
    | (?:[^/?\#\s@]*@)? (?P<host> [\w\-]+(?:\.[\w\-]+)+ )
    """,
    regex.VERBOSE,
)
_FINAL_PUNCTUATION: Final = regex.compile(r"(?V1)[\p{Terminal_Punctuation}\p{Quotation_Mark}…*~]")


class Span(NamedTuple):
    """A part of a text."""

    start: int
    end: int


def find_urls(text: str) -> list[Span]:
    """The positions of the URLs of a text, in order."""
    spans = []
    position = 0
    while beginning := _BEGINNING.search(text, position):
        position = end = _end_of_url(text, beginning.end())
        while end > beginning.start() and _FINAL_PUNCTUATION.match(text, end - 1):
            end -= 1
        spans.append(Span(beginning.start(), end))
    return spans


def link_hosts(text: str) -> list[str]:
    """The hosts that a text's links lead to, as resolvers compare them; paths and URLs without a host have none."""
    found = (_HOST.match(text, span.start, span.end) for span in find_urls(text))
    return [_plain_host(match["host"]) for match in found if match is not None]


def _plain_host(written: str) -> str:
    host = unquote(written).rstrip(".")
    try:
        return host.lower() if host.isascii() else ascii_domain(host)
    except ValueError:  # IDNA does not allow it, but browsers may open it: a domain with emoji
        return host.lower()


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
