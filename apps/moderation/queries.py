"""Reads moderation's state: whose report is whose, what a case is about, the word rules, and whether the log holds."""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
import re2
import structlog
from django.db.models import Count, QuerySet
from django.utils import timezone

from apps.moderation.models import Action, Appeal, Case, LogHead, Reason, Report, Suspension, TargetType, WordRule
from socialapp.contracts.comments import CommentDocument, Comments
from socialapp.contracts.posts import PostDocument, Posts
from socialapp.contracts.users import Users
from socialapp.core.errors import Invalid, NotFound, Problem
from socialapp.core.pages import Page, PageRequest, paginate
from socialapp.core.text.folding import nfkc_casefold
from socialapp.rpc.calls import client

log = structlog.get_logger()

_MOST_WILDCARDS = 3
_LETTER, _NO_LETTER = r"[\p{L}\p{M}\p{N}_]", r"[^\p{L}\p{M}\p{N}_]"
APPEALABLE = (Action.Kind.REMOVE_CONTENT, Action.Kind.WARN_USER, Action.Kind.BAN_USER)


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
    """What the targets of the cases look like now, by "type:id": at most one call for each type and one for names."""
    ids: dict[str, list[int]] = {kind: [] for kind in TargetType.values}
    authors: set[int] = set()
    for case in cases:
        if case.target_id is not None:
            ids[case.target_type].append(case.target_id)
        if case.author_id is not None:
            authors.add(case.author_id)
    texts = {f"post:{post.id}": post.content for post in _posts(ids["post"])}
    texts |= {f"comment:{comment.id}": comment.content for comment in _comments(ids["comment"])}
    people = client(Users).documents(ids=sorted(authors)) if authors else []
    texts |= {f"user:{person.card.id}": person.bio for person in people}
    names = {person.card.id: person.card.username for person in people}
    return {
        f"{case.target_type}:{case.target_id}": Preview(
            texts.get(f"{case.target_type}:{case.target_id}", ""), names.get(case.author_id or 0, "")
        )
        for case in cases
    }


def _posts(ids: list[int]) -> list[PostDocument]:
    return client(Posts).documents(post_ids=ids) if ids else []


def _comments(ids: list[int]) -> list[CommentDocument]:
    return client(Comments).documents(comment_ids=ids) if ids else []


def documents_to_check(
    *, post_ids: list[int] | None = None, comment_ids: list[int] | None = None
) -> list[tuple[Target, str]]:
    """The present texts of posts and comments for the word rules; nothing is fetched while there are no rules."""
    if not WordRule.objects.filter(is_active=True).exists():
        return []
    posts = [(Target(TargetType.POST, post.id, post.author_id), post.content) for post in _posts(post_ids or [])]
    comments = [
        (Target(TargetType.COMMENT, comment.id, comment.author_id), comment.content)
        for comment in _comments(comment_ids or [])
    ]
    return posts + comments


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
    return hmac.new(entry.salt.encode(), orjson.dumps(content), hashlib.sha256).hexdigest()


def chain_hash(previous: str, content: str) -> str:
    """The hash that ties an entry to the one before."""
    return hashlib.sha256(f"{previous}\n{content}".encode()).hexdigest()


def check_log() -> LogCheck:
    """Walks the whole log: no gap, every content as it was written, every link to the entry before, and the end."""
    check = LogCheck()
    previous, redacted, explained = "", set[int](), set[int]()
    for entry in Action.objects.order_by("sequence").iterator(chunk_size=1000):
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
    head = LogHead.objects.filter(id=1).first() or LogHead()
    if (head.sequence, head.hash) != (check.entries, previous):
        check.problems.append(f"the log ends at {check.entries}, but {head.sequence} entries were written")
    return check
