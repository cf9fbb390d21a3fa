"""Which word rules a text meets, and which patterns may be rules."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2

from apps.moderation.models import WordRule
from apps.moderation.queries.rules import active_word_rules
from socialapp.core.errors import Invalid
from socialapp.core.text.folding import nfkc_casefold

_MOST_WILDCARDS = 3
_LETTER, _NO_LETTER = r"[\p{L}\p{M}\p{N}_]", r"[^\p{L}\p{M}\p{N}_]"


def rules_matching(text: str) -> list[WordRule]:
    """The active rules whose words are in the text. One query."""
    plain = normalized(text)
    return [rule for rule in active_word_rules() if _compiled(rule.pattern).search(plain)]


def plain_pattern(pattern: str) -> str:
    """A rule's pattern in the form it is kept in; 422 when it would match everything or take long to look for."""
    plain = " ".join(normalized(pattern).split())
    if not plain.replace("*", "").strip() or plain.count("*") > _MOST_WILDCARDS:
        raise Invalid.of("pattern", "invalid", f"A pattern needs letters, and has at most {_MOST_WILDCARDS} asterisks.")
    return plain


def normalized(text: str) -> str:
    """A text without differences of case and compatible letters, and without invisible characters inside words."""
    return nfkc_casefold(text)


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> Any:
    """Matches in time linear to the text, whatever the pattern. Source: https://github.com/google/re2/wiki/WhyRE2"""
    escape: Callable[[str], str] = re2.escape
    words = (escape(word).replace(r"\*", f"{_LETTER}*") for word in normalized(pattern).split())
    expression = rf"(?:^|{_NO_LETTER})" + r"[\s\p{Z}]+".join(words) + rf"(?:$|{_NO_LETTER})"
    return re2.compile(expression)  # type: ignore[no-untyped-call]
