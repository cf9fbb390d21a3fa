"""Reads moderation's state: whose report is whose, what a case is about, the word rules, and whether the log holds."""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
import re2
import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import TruncDate, TruncMonth
from django.utils import timezone

from apps.moderation.models import (
    Action,
    Appeal,
    Case,
    CaseNote,
    InstanceRule,
    LogHead,
    Outcome,
    Reason,
    Report,
    SignedHead,
    Suspension,
    TargetType,
    WordRule,
)
from socialapp.contracts.comments import CommentDocument, Comments
from socialapp.contracts.moderation import DayOfModeration, DecisionLine, Workload
from socialapp.contracts.posts import PostDocument, Posts
from socialapp.contracts.users import Users
from socialapp.core.errors import Invalid, NotFound, Problem
from socialapp.core.pages import Page, PageRequest, paginate
from socialapp.core.text.folding import nfkc_casefold
from socialapp.rpc.calls import client

log = structlog.get_logger()

_MOST_WILDCARDS = 3
_LETTER, _NO_LETTER = r"[\p{L}\p{M}\p{N}_]", r"[^\p{L}\p{M}\p{N}_]"
APPEALABLE = (
    Action.Kind.REMOVE_CONTENT,
    Action.Kind.MARK_SENSITIVE,
    Action.Kind.HIDE_CONTENT,
    Action.Kind.WARN_USER,
    Action.Kind.BAN_USER,
    Action.Kind.SILENCE_USER,
    Action.Kind.LIMIT_USER,
    Action.Kind.RESET_PROFILE,
)
_LEAST_DECIDED = 4  # so many reports of a person must have been decided before their record counts
_DISTRUSTED_SHARE = 0.75
_DISTRUSTED_WEIGHT = 0.2


@dataclass(frozen=True, slots=True)
class Target:
    """What a report, a case or an action is about, and who answers for it (a user for themselves)."""

    type: str
    id: int
    author_id: int

    @property
    def key(self) -> str:
        """One string for it."""
        return f"{self.type}:{self.id}"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a moderator sees of a target: its text and its author's name, "" where it is gone."""

    text: str = ""
    author: str = ""


@dataclass(slots=True)
class LogCheck:
    """What checking the log found: how many entries, how many with erased traces, and what is wrong with it."""

    entries: int = 0
    redacted: int = 0
    signatures: int = 0
    problems: list[str] = field(default_factory=list)


def target_to_report(*, reporter_id: int, target_type: str, target_id: int) -> Target:
    """What is to be reported, as the reporter may see it: 404 when they may not, 422 when it is their own."""
    author_id = _author_if_visible(reporter_id, target_type, target_id)
    if author_id is None:
        raise NotFound("there is nothing here that you may see")
    if author_id == reporter_id:
        raise Invalid.of("target_id", "own_target", "You cannot report yourself or what you wrote.")
    return Target(target_type, target_id, author_id)


def _author_if_visible(viewer_id: int, target_type: str, target_id: int) -> int | None:
    found: list[int]
    match target_type:
        case TargetType.POST:
            found = [post.author_id for post in client(Posts).visible(viewer_id=viewer_id, post_ids=[target_id])]
        case TargetType.COMMENT:
            comments = client(Comments).visible(viewer_id=viewer_id, comment_ids=[target_id])
            found = [comment.author_id for comment in comments]
        case _:
            cards = client(Users).profiles(ids=[target_id])
            seen = client(Users).profile_bodies(viewer_id=viewer_id, ids=[target_id]) if cards else []
            found = [int(str(body["id"])) for body in seen]
    return found[0] if found else None


def present_rules() -> list[InstanceRule]:
    """The rules of the installation in their present words, in order."""
    return list(InstanceRule.objects.filter(retired_at=None).order_by("number", "id"))


def rule_text(rule_id: int | None) -> str:
    """A rule's number and words, also of one that has changed since; "" for None, 422 when there is none."""
    if rule_id is None:
        return ""
    rule = InstanceRule.objects.filter(id=rule_id).first()
    if rule is None:
        raise Invalid.of("rule_id", "not_found", "There is no such rule.")
    return str(rule)


def reporter_weight(reporter_id: int) -> float:
    """How much a report of this person counts: less for one whose reports are mostly found to be baseless."""
    decided = Report.objects.filter(reporter_id=reporter_id).exclude(outcome__in=["", Outcome.GONE])
    outcomes = list(decided.order_by("-id").values_list("outcome", flat=True)[:50])
    if len(outcomes) < _LEAST_DECIDED:
        return 1.0
    dismissed = outcomes.count(Outcome.DISMISSED)
    return _DISTRUSTED_WEIGHT if dismissed / len(outcomes) >= _DISTRUSTED_SHARE else 1.0


def suspensions_due() -> list[int]:
    """The ids of up to 500 suspensions that are over, oldest first."""
    over = Suspension.objects.filter(until__lte=timezone.now()).order_by("until")
    return list(over.values_list("id", flat=True)[:500])


def own_reports(*, reporter_id: int, page: PageRequest) -> Page[Report]:
    """What somebody reported, newest first."""
    return paginate(Report.objects.filter(reporter_id=reporter_id), page)


def own_appeals(*, user_id: int, page: PageRequest) -> Page[Appeal]:
    """What somebody appealed against, newest first."""
    return paginate(Appeal.objects.filter(user_id=user_id), page)


def actions_against(*, user_id: int, page: PageRequest) -> Page[Action]:
    """What was done about somebody or what they wrote, and can be appealed against, newest first."""
    return paginate(Action.objects.filter(user_id=user_id, kind__in=APPEALABLE), page)


def report_body(report: Report) -> dict[str, object]:
    """The API's form of a report."""
    return {
        "id": str(report.id),
        "target_type": report.target_type,
        "target_id": str(report.target_id) if report.target_id is not None else None,
        "reason": report.reason,
        "details": report.details,
        "rule_id": str(report.rule_id) if report.rule_id is not None else None,
        "status": "resolved" if report.resolved_at else "open",
        "outcome": report.outcome or None,
        "created_at": report.created_at,
        "resolved_at": report.resolved_at,
    }


def action_body(action: Action) -> dict[str, object]:
    """The API's form of an action."""
    return {
        "id": str(action.id),
        "kind": action.kind,
        "target_type": action.target_type,
        "target_id": str(action.target_id),
        "reason": action.reason,
        "rule_id": str(action.rule_id) if action.rule_id is not None else None,
        "until": action.until,
        "created_at": action.created_at,
    }


def appeal_body(appeal: Appeal) -> dict[str, object]:
    """The API's form of an appeal."""
    return {
        "id": str(appeal.id),
        "action_id": str(appeal.action_id),
        "text": appeal.text,
        "status": appeal.status,
        "answer": appeal.answer,
        "created_at": appeal.created_at,
        "decided_at": appeal.decided_at,
    }


def show_targets(cases: Sequence[Case]) -> None:
    """Fills in what moderators see of the cases' targets and reports. One query, and at most four calls."""
    counts = Report.objects.filter(case_id__in=[case.id for case in cases]).values("case_id", "reason")
    reasons: dict[int, list[str]] = {case.id: [] for case in cases}
    for row in counts.annotate(count=Count("id")).order_by("-count", "reason"):
        reasons[row["case_id"]].append(f"{row['count']} × {Reason(row['reason']).label.lower()}")
    try:
        seen = previews(cases)
    except Problem as problem:
        seen = {}
        log.warning("moderation.no_previews", error=problem.detail)
    for case in cases:
        preview = seen.get(f"{case.target_type}:{case.target_id}", Preview())
        case.preview, case.author_name, case.reasons = preview.text, preview.author, ", ".join(reasons[case.id])


def show_names(rows: Sequence[Action | Appeal]) -> None:
    """Fills in the names of the people in the rows: one call for all of them."""
    ids = {row.user_id for row in rows} | {row.moderator_id for row in rows if isinstance(row, Action)}
    names = _usernames([user_id for user_id in ids if user_id is not None])
    for row in rows:
        row.user_name = names.get(row.user_id or 0, "")
        if isinstance(row, Action):
            row.moderator_name = names.get(row.moderator_id or 0, "")


def show_holders(cases: Sequence[Case]) -> None:
    """Fills in the names of the moderators who have taken the cases: one call for all of them."""
    names = _usernames([case.assigned_to_id for case in cases if case.assigned_to_id is not None])
    for case in cases:
        case.holder_name = names.get(case.assigned_to_id or 0, "")


def show_removed(appeals: Sequence[Appeal]) -> None:
    """Fills in the texts that were removed and can still come back: a call each for posts and comments, if any."""
    removals = [appeal.action for appeal in appeals if appeal.action.kind == Action.Kind.REMOVE_CONTENT]
    ids: dict[str, list[int]] = {kind: [] for kind in TargetType.values}
    for removal in removals:
        if removal.target_id is not None:
            ids[removal.target_type].append(removal.target_id)
    try:
        posts = client(Posts).removed(post_ids=ids["post"]) if ids["post"] else []
        comments = client(Comments).removed(comment_ids=ids["comment"]) if ids["comment"] else []
    except Problem as problem:
        log.warning("moderation.no_texts", error=problem.detail)
        return
    # Ids are unique over all contexts.
    texts = {post.id: post.content for post in posts} | {comment.id: comment.content for comment in comments}
    for appeal in appeals:
        appeal.content = texts.get(appeal.action.target_id or 0, "")


def _usernames(ids: list[int]) -> dict[int, str]:
    try:
        people = client(Users).documents(ids=sorted(ids)) if ids else []
    except Problem as problem:
        log.warning("moderation.no_names", error=problem.detail)
        return {}
    return {person.card.id: person.card.username for person in people}


def reports_of(case: Case) -> QuerySet[Report]:
    """What was reported about a case's target, newest first."""
    return Report.objects.filter(case_id=case.id).order_by("-id")


def previews(cases: Iterable[Case]) -> dict[str, Preview]:
    """What the targets of the cases look like now, by "type:id": at most two calls for each type and one for names."""
    ids: dict[str, list[int]] = {kind: [] for kind in TargetType.values}
    authors: set[int] = set()
    for case in cases:
        if case.target_id is not None:
            ids[case.target_type].append(case.target_id)
        if case.author_id is not None:
            authors.add(case.author_id)
    texts = {f"post:{post.id}": post.content for post in _posts(ids["post"])}
    texts |= {f"comment:{comment.id}": comment.content for comment in _comments(ids["comment"])}
    texts |= _removed_texts({kind: [one for one in ids[kind] if f"{kind}:{one}" not in texts] for kind in ids})
    people = client(Users).documents(ids=sorted(authors)) if authors else []
    texts |= {f"user:{person.card.id}": person.bio for person in people}
    names = {person.card.id: person.card.username for person in people}
    return {
        f"{case.target_type}:{case.target_id}": Preview(
            texts.get(f"{case.target_type}:{case.target_id}", ""), names.get(case.author_id or 0, "")
        )
        for case in cases
    }


def _removed_texts(ids: dict[str, list[int]]) -> dict[str, str]:
    """What was removed or hidden and may come back."""
    posts = client(Posts).removed(post_ids=ids["post"]) if ids["post"] else []
    comments = client(Comments).removed(comment_ids=ids["comment"]) if ids["comment"] else []
    texts = {f"post:{post.id}": post.content for post in posts}
    return texts | {f"comment:{comment.id}": comment.content for comment in comments}


def _posts(ids: list[int]) -> list[PostDocument]:
    return client(Posts).documents(post_ids=ids) if ids else []


def _comments(ids: list[int]) -> list[CommentDocument]:
    return client(Comments).documents(comment_ids=ids) if ids else []


def documents_to_check(
    *, post_ids: list[int] | None = None, comment_ids: list[int] | None = None, user_ids: list[int] | None = None
) -> list[tuple[Target, str]]:
    """The present texts of posts, comments and profiles for the word rules; nothing while there are no rules."""
    if not WordRule.objects.filter(is_active=True).exists():
        return []
    posts = [(Target(TargetType.POST, post.id, post.author_id), post.content) for post in _posts(post_ids or [])]
    comments = [
        (Target(TargetType.COMMENT, comment.id, comment.author_id), comment.content)
        for comment in _comments(comment_ids or [])
    ]
    people = client(Users).documents(ids=user_ids) if user_ids else []
    profiles = [
        (
            Target(TargetType.USER, person.card.id, person.card.id),
            "\n".join((person.card.username, person.card.full_name, person.bio)),
        )
        for person in people
        if person.status == "active"
    ]
    return posts + comments + profiles


def rules_matching(text: str) -> list[WordRule]:
    """The active rules whose words are in the text. One query."""
    plain = normalized(text)
    return [rule for rule in WordRule.objects.filter(is_active=True) if _compiled(rule.pattern).search(plain)]


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


def content_hash(entry: Action) -> str:
    """The hash of an entry's content under its salt: without the salt it gives nothing away."""
    content = [
        entry.sequence, entry.kind, entry.moderator_id, entry.user_id, entry.target_type, entry.target_id,
        entry.case_id, entry.reason, entry.created_at.timestamp(),
    ]  # fmt: skip
    if entry.rule_id is not None or entry.until is not None or entry.reverses_id is not None:
        # Entries from before there were these have no place for them in their hash.
        content += [entry.rule_id, entry.until.timestamp() if entry.until else None, entry.reverses_id]
    return hmac.new(entry.salt.encode(), orjson.dumps(content), hashlib.sha256).hexdigest()


def chain_hash(previous: str, content: str) -> str:
    """The hash that ties an entry to the one before."""
    return hashlib.sha256(f"{previous}\n{content}".encode()).hexdigest()


def _signing_key() -> Ed25519PrivateKey:
    """From LOG_SIGNING_KEY, which the database does not hold. Source: RFC 8032; the derivation is HKDF (RFC 5869)."""
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"moderation log")
    return Ed25519PrivateKey.from_private_bytes(derivation.derive(settings.LOG_SIGNING_KEY.encode()))


def public_key() -> str:
    """The key, in hexadecimal digits, by which anybody can check the signed heads."""
    return _signing_key().public_key().public_bytes_raw().hex()


def sign(*, sequence: int, hash_: str) -> str:
    """The signature of an end of the log, in hexadecimal digits."""
    return _signing_key().sign(f"{sequence} {hash_}".encode()).hex()


def _problems_of_head(head: SignedHead, entry: Action) -> list[str]:
    if head.hash != entry.hash:
        return [f"entry {entry.sequence} is not the one that was signed"]
    try:
        _signing_key().public_key().verify(bytes.fromhex(head.signature), f"{head.sequence} {head.hash}".encode())
    except (InvalidSignature, ValueError):
        return [f"the signature of entry {entry.sequence} is not ours"]
    return []


def log_after(sequence: int) -> Iterator[Action]:
    """The entries of the log with greater sequences, in order."""
    return Action.objects.filter(sequence__gt=sequence).order_by("sequence").iterator(chunk_size=1000)


@dataclass(slots=True)
class MonthFigures:
    """What moderation did in a month."""

    month: datetime
    reports: int = 0
    actions: dict[str, int] = field(default_factory=dict)
    automated: int = 0
    appeals: int = 0
    appeals_accepted: int = 0


def figures_by_month(*, months: int) -> list[MonthFigures]:
    """The figures of the last months, the present one first. Three queries."""
    first = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    starts = [first]
    while len(starts) < months:
        starts.append((starts[-1] - timedelta(days=1)).replace(day=1))
    found = {(start.year, start.month): MonthFigures(start) for start in starts}
    since = starts[-1]
    reports = Report.objects.filter(created_at__gte=since).annotate(month=TruncMonth("created_at"))
    for row in reports.values("month").annotate(n=Count("id")).order_by():
        found[row["month"].year, row["month"].month].reports = row["n"]
    decided = Action.objects.filter(created_at__gte=since, kind__in=APPEALABLE)
    by_kind = decided.annotate(month=TruncMonth("created_at")).values("month", "kind")
    for row in by_kind.annotate(n=Count("id"), by_rule=Count("id", filter=Q(moderator_id=None, is_redacted=False))):
        figures = found[row["month"].year, row["month"].month]
        figures.actions[row["kind"]] = row["n"]
        figures.automated += row["by_rule"]
    appeals = Appeal.objects.filter(created_at__gte=since).annotate(month=TruncMonth("created_at")).values("month")
    for row in appeals.annotate(n=Count("id"), won=Count("id", filter=Q(status=Appeal.Status.ACCEPTED))).order_by():
        figures = found[row["month"].year, row["month"].month]
        figures.appeals, figures.appeals_accepted = row["n"], row["won"]
    return list(found.values())


def check_log() -> LogCheck:
    """Walks the whole log: no gap, every content as it was written, every link to the entry before, and the end."""
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
        if entry.previous_hash != previous or entry.hash != chain_hash(previous, entry.content_hash):
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


@dataclass(frozen=True, slots=True)
class PersonHistory:
    """What moderators should know of the person whom a case is about."""

    name: str = ""
    full_name: str = ""
    bio: str = ""
    status: str = ""
    since: datetime | None = None
    followers: int = 0
    posts: int = 0
    restrictions: tuple[str, ...] = ()
    earlier: tuple[Action, ...] = ()
    open_cases: tuple[Case, ...] = ()


def history_of(user_id: int | None) -> PersonHistory:
    """The person, the last 20 decisions about them, and open cases. Two queries and two calls."""
    if user_id is None:
        return PersonHistory()
    entries = Action.objects.filter(user_id=user_id).order_by("-sequence")[:20]
    cases = Case.objects.filter(author_id=user_id, closed_at=None).order_by("id")[:20]
    earlier, open_cases = tuple(entries), tuple(cases)
    show_names(earlier)
    try:
        people = client(Users).documents(ids=[user_id])
        counts = client(Posts).author_posts(author_ids=[user_id])
    except Problem as problem:
        log.warning("moderation.no_history", error=problem.detail)
        return PersonHistory(earlier=earlier, open_cases=open_cases)
    if not people:
        return PersonHistory(earlier=earlier, open_cases=open_cases)
    person = people[0]
    in_force = [name for name in ("silenced", "limited") if getattr(person, name)]
    return PersonHistory(
        name=person.card.username,
        full_name=person.card.full_name,
        bio=person.bio,
        status=person.status,
        since=person.created_at,
        followers=person.followers_count,
        posts=counts[0].posts if counts else 0,
        restrictions=tuple(in_force),
        earlier=earlier,
        open_cases=open_cases,
    )


@dataclass(frozen=True, slots=True)
class NoteLine:
    """A note as the case page shows it."""

    author: str
    text: str
    created_at: datetime


def notes_of(case: Case) -> list[NoteLine]:
    """The notes on a case, oldest first, with names. One query and one call."""
    notes = list(CaseNote.objects.filter(case_id=case.id).order_by("id")[:100])
    names = _usernames([note.moderator_id for note in notes if note.moderator_id is not None])
    return [NoteLine(names.get(note.moderator_id or 0, ""), note.text, note.created_at) for note in notes]


def workload(moderator_id: int) -> Workload:
    """What the front page shows a moderator. Six queries and one call."""
    waiting = Case.objects.filter(closed_at=None)
    cases = waiting.aggregate(
        n=Count("id"), mine=Count("id", filter=Q(assigned_to_id=moderator_id)), oldest=Min("created_at")
    )
    since = timezone.now() - timedelta(days=90)
    recent = Q(decided_at__gte=since)
    appeals = Appeal.objects.aggregate(
        n=Count("id", filter=Q(status=Appeal.Status.OPEN)),
        decided=Count("id", filter=recent),
        accepted=Count("id", filter=recent & Q(status=Appeal.Status.ACCEPTED)),
    )
    last = tuple(Action.objects.exclude(kind=Action.Kind.REDACT_ENTRIES).order_by("-sequence")[:10])
    show_names(last)
    today = timezone.now().date()
    days = [today - timedelta(days=back) for back in range(29, -1, -1)]
    reports = _by_day(Report.objects.all(), days[0])
    decisions = _by_day(Action.objects.filter(kind__in=[*APPEALABLE, Action.Kind.DISMISS_CASE]), days[0])
    return Workload(
        open_cases=cases["n"],
        mine=cases["mine"],
        oldest=cases["oldest"],
        open_appeals=appeals["n"],
        decided_appeals=appeals["decided"],
        accepted_appeals=appeals["accepted"],
        last=[
            DecisionLine(
                kind=entry.get_kind_display(),
                moderator=entry.moderator_name,
                user=entry.user_name,
                reason=entry.reason,
                at=entry.created_at,
            )
            for entry in last
        ],
        days=[
            DayOfModeration(date=day.isoformat(), reports=reports.get(day, 0), decisions=decisions.get(day, 0))
            for day in days
        ],
    )


def _by_day(rows: QuerySet[Any], first: date) -> dict[date, int]:
    since = datetime(first.year, first.month, first.day, tzinfo=UTC)
    counted = rows.filter(created_at__gte=since).annotate(day=TruncDate("created_at")).values("day").order_by()
    return dict(counted.annotate(n=Count("id")).values_list("day", "n"))
