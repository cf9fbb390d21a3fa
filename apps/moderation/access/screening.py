"""Matches texts against word rules, and validates the patterns of rules."""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import re2
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from apps.moderation.models import TargetType, WordRule
from apps.moderation.queries import Target, active_word_rules, texts_by, texts_like
from socialapp.core.errors import Invalid
from socialapp.core.ids import id_time
from socialapp.core.text.disguises import readings
from socialapp.core.text.domains import domain_spellings, fold_domains
from socialapp.core.text.folding import nfkc_casefold

Kind = WordRule.Kind
IN_PROFILES = (Kind.WORDS, Kind.DOMAIN)  # the other kinds are about posts and comments
_MOST_WILDCARDS = 3
_LETTER, _NO_LETTER = r"[\p{L}\p{M}\p{N}_]", r"[^\p{L}\p{M}\p{N}_]"
_DOMAIN = re.compile(r"[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)+")
_RATE = re.compile(r"([1-9]\d{0,4})/([1-9]\d{0,4})")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST = {Kind.NEW_ACCOUNT: 365, Kind.SPAM: 100}


@dataclass(frozen=True, slots=True)
class Document:
    """A text to be checked, with its kind, the hosts behind its shortened links, and the hashes of its media."""

    target: Target
    text: str
    hosts: frozenset[str] = field(default=frozenset())
    media: frozenset[str] = field(default=frozenset())
    has_link: bool = False
    digest: str = ""


@dataclass(frozen=True, slots=True)
class SpamEvidence:
    """The input of a spam scorer. `repeated`: how many others have written the same text in the last month."""

    text: str
    account_age: timedelta
    has_link: bool
    repeated: int


def score_spam(evidence: SpamEvidence) -> int:
    """The built-in scorer, 0 to 100: a new account, a link, and a repeated text."""
    score = 35 if evidence.account_age < timedelta(days=7) else 0
    score += 25 if evidence.has_link else 0
    return score + min(40, 20 * evidence.repeated)


def rules_matched_by(document: Document) -> list[WordRule]:
    """The active rules that match a document. One query, and one more for each rule about rates or spam."""
    return [rule for rule in active_word_rules() if rule_matches(rule, document=document)]


def rules_matching(text: str) -> list[WordRule]:
    """The active rules whose words or domains match a text without an author. One query."""
    return [rule for rule in active_word_rules() if rule.kind in IN_PROFILES and _is_in(rule, text)]


def rule_matches(rule: WordRule, *, document: Document) -> bool:
    """Whether a document matches a rule."""
    if document.target.type == TargetType.USER and rule.kind not in IN_PROFILES:
        return False
    author_id = document.target.author_id
    match rule.kind:
        case Kind.WORDS:
            return _is_in(rule, document.text)
        case Kind.DOMAIN:
            return _is_in(rule, document.text) or any(_is_below(host, rule.pattern) for host in document.hosts)
        case Kind.MEDIA:
            return rule.pattern in document.media
        case Kind.RATE:
            most, minutes = map(int, rule.pattern.split("/"))
            before = texts_by(author_id, since=timezone.now() - timedelta(minutes=minutes))
            return before + (document.target.id == 0) > most  # unpublished texts are not counted yet
        case Kind.NEW_ACCOUNT:
            return timezone.now() - id_time(author_id) < timedelta(days=int(rule.pattern))
        case Kind.SPAM:
            return _spam_score(document) >= int(rule.pattern)
    return False


def text_digest(text: str) -> str:
    """A keyed digest to recognize the same text without storing it; guessing needs LOG_SIGNING_KEY."""
    return hmac.new(settings.LOG_SIGNING_KEY.encode(), normalized(text).encode(), hashlib.sha256).hexdigest()


def _spam_score(document: Document) -> int:
    """0 if no scorer is configured: SPAM_SCORER is off by default."""
    if not settings.SPAM_SCORER:
        return 0
    scorer: Callable[[SpamEvidence], int] = import_string(settings.SPAM_SCORER)
    evidence = SpamEvidence(
        text=document.text,
        account_age=timezone.now() - id_time(document.target.author_id),
        has_link=document.has_link,
        repeated=texts_like(document.digest, but=document.target),
    )
    return scorer(evidence)


def plain_pattern(pattern: str, *, kind: str = Kind.WORDS) -> str:
    """A rule's pattern in stored form; Invalid if it is malformed, or would match everything."""
    match kind:
        case Kind.WORDS:
            return _plain_words(pattern)
        case Kind.DOMAIN:
            plain = fold_domains(pattern).strip().removeprefix("*.").strip(".")
            is_valid, what = bool(_DOMAIN.fullmatch(plain)), "A domain must look like example.org."
        case Kind.MEDIA:
            plain = pattern.strip().lower()
            is_valid, what = bool(_SHA256.fullmatch(plain)), "A SHA-256 must have 64 hexadecimal digits."
        case Kind.RATE:
            plain = "".join(pattern.split())
            is_valid, what = bool(_RATE.fullmatch(plain)), "A rate must be texts/minutes, such as 20/10."
        case _:
            plain = pattern.strip()
            largest = _LARGEST[Kind(kind)]
            is_valid = plain.isascii() and plain.isdecimal() and len(plain) < 5 and 1 <= int(plain) <= largest
            what = f"This must be a number from 1 to {largest}."
    if not is_valid:
        raise Invalid.of("pattern", "invalid", what)
    return plain


def _plain_words(pattern: str) -> str:
    plain = " ".join(normalized(pattern).split())
    if not plain.replace("*", "").strip() or plain.count("*") > _MOST_WILDCARDS:
        raise Invalid.of(
            "pattern", "invalid", f"A pattern needs letters, and can have at most {_MOST_WILDCARDS} asterisks."
        )
    return plain


def normalized(text: str) -> str:
    """The text without differences of case and compatible letters, and without invisible characters inside words."""
    return nfkc_casefold(text)


def _is_in(rule: WordRule, text: str) -> bool:
    if rule.kind == Kind.DOMAIN:
        expression = _domain_expression(rule.pattern)
        plain = fold_domains(text)
        return any(expression.search(one) for one in (plain, _as_in_links(plain)))
    expression = _word_expression(rule.pattern)
    return any(expression.search(one) for one in _readings(text))


@lru_cache(maxsize=1)  # the rules are applied to one text after the other
def _readings(text: str) -> list[str]:
    return readings(text)


def _as_in_links(text: str) -> str:
    """A text as browsers read the hosts of its links: with "。" as a dot, and percent-encoding decoded. Source: URL
    Standard, 3.5."""
    return fold_domains(unquote(text)).replace("。", ".")


def _is_below(host: str, domain: str) -> bool:
    return any(f".{host}".endswith(f".{spelling}") for spelling in domain_spellings(domain))


@lru_cache(maxsize=2048)
def _word_expression(pattern: str) -> Any:
    """Matches in time linear to the text, whatever the pattern. Source: https://github.com/google/re2/wiki/WhyRE2"""
    escape: Callable[[str], str] = re2.escape
    words = (escape(word).replace(r"\*", f"{_LETTER}*") for word in normalized(pattern).split())
    expression = rf"(?:^|{_NO_LETTER})" + r"[\s\p{Z}]+".join(words) + rf"(?:$|{_NO_LETTER})"
    return re2.compile(expression)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=2048)
def _domain_expression(domain: str) -> Any:
    """The domain and its subdomains, wherever they are mentioned: in ASCII or Unicode, with or without a scheme, in a
    link or not."""
    escape: Callable[[str], str] = re2.escape
    spellings = "|".join(escape(one) for one in sorted(domain_spellings(domain)))
    expression = rf"(?:^|[^\p{{L}}\p{{N}}-])(?:{spellings})(?:$|[^\p{{L}}\p{{N}}.-]|\.(?:$|[^\p{{L}}\p{{N}}]))"
    return re2.compile(expression)  # type: ignore[no-untyped-call]
