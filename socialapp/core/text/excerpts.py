"""Beginnings and parts of texts, cut between characters as readers see them: never inside an emoji or before a mark."""

from typing import Final

import regex

from socialapp.core.text.names import one_line

_CLUSTER: Final = regex.compile(r"\X")  # an extended grapheme cluster: UAX #29
_LONGEST_CLUSTER: Final = 64  # where a boundary is looked for; of longer ones, marks are piled up for fun


def shortened(text: str, *, length: int) -> str:
    """The text on one line of at most `length` characters, with "…" at its end if there is more.

    Nothing in it affects the text that others put around it.
    """
    line = one_line(text)
    return line if len(line) <= length else f"{line[: boundary_before(line, position=length - 1)].rstrip()}…"


def boundary_before(text: str, *, position: int) -> int:
    """The last position up to this one at which a text can be cut."""
    if position >= len(text):
        return position
    start = max(position - _LONGEST_CLUSTER, 0)
    inside = next(found for found in _CLUSTER.finditer(text, start) if found.end() > position)
    return inside.start() if inside.start() > start else position
