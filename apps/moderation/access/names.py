"""Names of people and excerpts of targets, beside rows in the admin site."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog

from apps.moderation.access.targets import comments_with_ids, posts_with_ids, removed_texts
from apps.moderation.models import Action, Appeal, Case, TargetType
from apps.moderation.queries import reasons_by_case
from socialapp.contracts.users import ProfileDocument, Users
from socialapp.core.errors import Problem
from socialapp.rpc.calls import client
from socialapp.rpc.people import profile_summaries

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Preview:
    """A target as moderators see it: its text and its author's name, "" if it is gone."""

    text: str = ""
    author: str = ""


def show_targets(cases: Sequence[Case]) -> None:
    """Fills in the previews of the cases' targets and reports. One query, and at most four calls."""
    reasons = reasons_by_case([case.id for case in cases])
    try:
        seen = previews(cases)
    except Problem as problem:
        seen = {}
        log.warning("moderation.no_previews", error=problem.detail)
    for case in cases:
        preview = seen.get(f"{case.target_type}:{case.target_id}", Preview())
        case.preview, case.author_name = preview.text, preview.author
        case.reasons = ", ".join(f"{count} × {reason}" for reason, count in reasons[case.id])


def show_names(rows: Sequence[Action | Appeal]) -> None:
    """Fills in the names of the people in the rows: one call for all of them."""
    ids = {row.user_id for row in rows} | {row.moderator_id for row in rows if isinstance(row, Action)}
    names = usernames(ids)
    for row in rows:
        row.user_name = names.get(row.user_id or 0, "")
        if isinstance(row, Action):
            row.moderator_name = names.get(row.moderator_id or 0, "")


def show_contents(appeals: Sequence[Appeal]) -> None:
    """Fills in the posts and comments that the appeals are about, also removed ones: the calls of `target_texts`."""
    targets = [(appeal.action.target_type, appeal.action.target_id) for appeal in appeals]
    try:
        texts = target_texts(target for target in targets if target[0] != TargetType.USER)
    except Problem as problem:
        log.warning("moderation.no_texts", error=problem.detail)
        return
    for appeal in appeals:
        appeal.content = texts.get(appeal.action.target_id or 0, "")


def usernames(ids: Iterable[int | None]) -> dict[int, str]:
    """The names of people by id, as `profile_summaries` finds them. One call."""
    return {user_id: card.username for user_id, card in profile_summaries(ids).items()}


def _profile_text(person: ProfileDocument) -> str:
    return "\n".join(filter(None, (person.card.full_name, person.bio))) or f"@{person.card.username}"


def previews(cases: Iterable[Case]) -> dict[str, Preview]:
    """The present previews of the cases' targets, by "type:id": calls as for `target_texts`, and one for names."""
    rows = list(cases)
    texts = target_texts((case.target_type, case.target_id) for case in rows)
    authors = {case.author_id for case in rows if case.author_id is not None}
    people = client(Users).documents(ids=sorted(authors)) if authors else []
    names = {person.card.id: person.card.username for person in people}
    return {
        f"{case.target_type}:{case.target_id}": Preview(
            texts.get(case.target_id or 0, ""), names.get(case.author_id or 0, "")
        )
        for case in rows
    }


def target_texts(targets: Iterable[tuple[str, int | None]]) -> dict[int, str]:
    """The texts of posts, comments and profiles, also of what was removed and may come back, by id: ids are unique over
    all contexts. At most two calls for posts, two for comments and one for people."""
    ids: dict[str, list[int]] = {kind: [] for kind in TargetType.values}
    for target_type, target_id in targets:
        if target_id is not None and target_type in ids:
            ids[target_type].append(target_id)
    texts = {post.id: post.text for post in posts_with_ids(ids["post"])}
    texts |= {comment.id: comment.content for comment in comments_with_ids(ids["comment"])}
    gone = {kind: [one for one in ids[kind] if one not in texts] for kind in ("post", "comment")}
    texts |= removed_texts(post_ids=gone["post"], comment_ids=gone["comment"])
    people = client(Users).documents(ids=sorted(set(ids["user"]))) if ids["user"] else []
    return texts | {person.card.id: _profile_text(person) for person in people}
