"""SQL of the hash-chained log: entries, hashes, signatures, verification, and appeals."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db.models import Q

from apps.moderation.models import Action, Appeal, LogHead, SignedHead
from socialapp.core.pages import Page, PageRequest, paginate

APPEALABLE = (
    Action.Kind.REMOVE_CONTENT,
    Action.Kind.MARK_SENSITIVE,
    Action.Kind.HIDE_CONTENT,
    Action.Kind.WARN_USER,
    Action.Kind.BAN_USER,
    Action.Kind.SILENCE_USER,
    Action.Kind.LIMIT_USER,
    Action.Kind.LIMIT_LINKS,
    Action.Kind.LIMIT_MEDIA,
    Action.Kind.DEMAND_PASSWORD,
    Action.Kind.LOCK_COMMENTS,
    Action.Kind.RESET_PROFILE,
)
_BY_RULES = (Action.Kind.REMOVE_CONTENT, Action.Kind.HOLD_CONTENT, Action.Kind.SILENCE_USER, Action.Kind.RESET_PROFILE)
# What word rules decided. Operators, the ends of suspensions and erased moderators have no moderator either; of a
# redacted entry that still names the person concerned, the moderator was erased.
AUTOMATED = Q(moderator_id=None, kind__in=_BY_RULES) & ~Q(is_redacted=True, user_id__isnull=False)


@dataclass(slots=True)
class LogCheck:
    """The result of verifying the log: the number of entries, of redacted ones, and the problems."""

    entries: int = 0
    redacted: int = 0
    signatures: int = 0
    problems: list[str] = field(default_factory=list)


def actions_against(*, user_id: int, page: PageRequest) -> Page[Action]:
    """Actions about somebody or their content that can be appealed, newest first."""
    return paginate(Action.objects.filter(user_id=user_id, kind__in=APPEALABLE), page=page)


def own_appeals(*, user_id: int, page: PageRequest) -> Page[Appeal]:
    """Somebody's appeals, newest first."""
    return paginate(Appeal.objects.filter(user_id=user_id), page=page)


def is_automated(entry: Action) -> bool:
    """Whether a word rule decided this: the condition `AUTOMATED` for one entry."""
    is_by_erased_moderator = entry.is_redacted and entry.user_id is not None
    return entry.moderator_id is None and entry.kind in _BY_RULES and not is_by_erased_moderator


def log_after(sequence: int) -> Iterator[Action]:
    """The entries of the log with greater sequences, in order."""
    return Action.objects.filter(sequence__gt=sequence).order_by("sequence").iterator(chunk_size=1000)


def content_hash(entry: Action) -> str:
    """The hash of an entry's content with its salt, without which it reveals nothing."""
    content = [
        entry.sequence, entry.kind, entry.moderator_id, entry.user_id, entry.target_type, entry.target_id,
        entry.case_id, entry.reason, entry.created_at.timestamp(),
    ]  # fmt: skip
    if entry.rule_id is not None or entry.until is not None or entry.reverses_id is not None:
        # Fields that older entries do not have are not part of their hash.
        content += [entry.rule_id, entry.until.timestamp() if entry.until else None, entry.reverses_id]
    if entry.note:
        content.append(entry.note)
    return hmac.new(entry.salt.encode(), orjson.dumps(content), hashlib.sha256).hexdigest()


def chain_hash(*, previous: str, content: str) -> str:
    """The hash that ties an entry to the one before."""
    return hashlib.sha256(f"{previous}\n{content}".encode()).hexdigest()


def public_key() -> str:
    """The public key, in hexadecimal, that verifies the signed heads."""
    return _signing_key().public_key().public_bytes_raw().hex()


def sign(*, sequence: int, hash_: str) -> str:
    """The signature of a head of the log, in hexadecimal."""
    return _signing_key().sign(f"{sequence} {hash_}".encode()).hex()


def _signing_key() -> Ed25519PrivateKey:
    """Derived from LOG_SIGNING_KEY, which is not in the database. Source: RFC 8032; the derivation is HKDF (RFC
    5869)."""
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"moderation log")
    return Ed25519PrivateKey.from_private_bytes(derivation.derive(settings.LOG_SIGNING_KEY.encode()))


def check_log() -> LogCheck:
    """Verifies the whole log: no gaps, unchanged contents, links between entries, and the head."""
    check = LogCheck()
    previous, redacted, explained = "", set[int](), set[int]()
    signed = {head.sequence: head for head in SignedHead.objects.order_by("sequence")}
    check.signatures = len(signed)
    for entry in Action.objects.order_by("sequence").iterator(chunk_size=1000):
        if (head_then := signed.pop(entry.sequence, None)) is not None:
            check.problems += _problems_of_head(head_then, entry)
        check.entries += 1
        if entry.sequence != check.entries:
            check.problems.append(f"entry {check.entries} is missing before {entry.sequence}")
            check.entries = entry.sequence
        if entry.previous_hash != previous or entry.hash != chain_hash(previous=previous, content=entry.content_hash):
            check.problems.append(f"entry {entry.sequence} is not tied to the one before")
        if entry.is_redacted:
            redacted.add(entry.sequence)
        elif entry.content_hash != content_hash(entry):
            check.problems.append(f"entry {entry.sequence} is not as it was written")
        if entry.kind == Action.Kind.REDACT_ENTRIES:
            explained.update(map(int, entry.reason.split()))
        previous = entry.hash
    check.redacted = len(redacted)
    check.problems += [f"entry {sequence} was changed without a reason" for sequence in sorted(redacted - explained)]
    check.problems += [f"entry {sequence} was signed and is missing" for sequence in signed]
    head = LogHead.objects.filter(id=1).first() or LogHead()
    if (head.sequence, head.hash) != (check.entries, previous):
        check.problems.append(f"the log ends at {check.entries}, but {head.sequence} entries were written")
    return check


def _problems_of_head(head: SignedHead, entry: Action) -> list[str]:
    if head.hash != entry.hash:
        return [f"entry {entry.sequence} is not the one that was signed"]
    try:
        _signing_key().public_key().verify(bytes.fromhex(head.signature), f"{head.sequence} {head.hash}".encode())
    except (InvalidSignature, ValueError):
        return [f"the signature of entry {entry.sequence} is not ours"]
    return []


def decisions_about(user_id: int) -> list[Action]:
    """The last 20 decisions about somebody and their content, newest first."""
    return list(Action.objects.filter(user_id=user_id).order_by("-sequence")[:20])


def last_decisions() -> list[Action]:
    """The last 10 entries of the log by a moderator, newest first."""
    return list(Action.objects.exclude(kind=Action.Kind.REDACT_ENTRIES).order_by("-sequence")[:10])
