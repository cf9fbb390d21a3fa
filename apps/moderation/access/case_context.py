"""The context of a case: versions, thread, linked accounts, and what each decision would affect."""

from dataclasses import dataclass, field
from datetime import datetime

import structlog

from apps.moderation.access.names import usernames
from apps.moderation.access.people import PersonHistory
from apps.moderation.access.targets import comments_with_ids, posts_with_ids
from apps.moderation.models import Case, TargetType
from socialapp.contracts.auth import Auth, LinkedAccount
from socialapp.contracts.comments import CommentDocument, Comments
from socialapp.contracts.posts import Posts, PostVersion
from socialapp.contracts.reactions import Reactions
from socialapp.core.errors import Problem
from socialapp.rpc.calls import client

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Line:
    """A comment of the thread; `is_target`: the comment that the case is about."""

    author: str
    text: str
    depth: int
    at: datetime
    is_target: bool


@dataclass(frozen=True, slots=True)
class CaseContext:
    """Earlier texts of a post, the post that a comment is on, the thread, and accounts that may be the same person's.

    `was_edited`: since the case was opened; `text_then`: what it read, of a post. Earlier texts of comments are not
    kept, nor are the times when a profile was changed. `figures`: by the name of a decision, what it would affect.
    """

    versions: list[PostVersion] = field(default_factory=list)
    was_edited: bool = False
    text_then: str | None = None
    post_text: str = ""
    thread: list[Line] = field(default_factory=list)
    linked: list[LinkedAccount] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)


def case_context_of(case: Case, *, history: PersonHistory) -> CaseContext:
    """The context, in at most eight calls; without what is unavailable at the moment."""
    if case.target_id is None or case.author_id is None:
        return CaseContext()
    try:
        return _case_context(case, case.target_id, case.author_id, history)
    except Problem as problem:
        log.warning("moderation.no_case_context", error=problem.detail)
        return CaseContext()


def _case_context(case: Case, target_id: int, author_id: int, history: PersonHistory) -> CaseContext:
    linked = client(Auth).linked_accounts(user_id=author_id)
    figures = _figures_of_person(history)
    if case.target_type == TargetType.POST:
        versions = client(Posts).versions(post_id=target_id, shown_at=case.created_at)
        replaced = [one for one in versions if one.replaced_at is not None and one.replaced_at > case.created_at]
        return CaseContext(
            versions=versions,
            was_edited=bool(replaced),
            text_then=replaced[-1].content if replaced else None,
            thread=_thread(target_id, None),
            linked=linked,
            figures=figures | _figures_of_post(target_id),
        )
    if case.target_type == TargetType.COMMENT and (comment := _comment(target_id)) is not None:
        thread = _thread(comment.post_id, target_id)
        depth = next((line.depth for line in thread if line.is_target), 0)
        answers = sum(1 for line in thread if line.depth > depth)
        touched = f"Still visible below it: {_counted(answers, 'answer')}."
        return CaseContext(
            was_edited=comment.written_at is not None and comment.written_at > case.created_at,
            post_text="".join(post.text for post in posts_with_ids([comment.post_id])),
            thread=thread,
            linked=linked,
            figures=figures | {"remove": touched, "hide": touched},
        )
    return CaseContext(linked=linked, figures=figures)


def _comment(comment_id: int) -> CommentDocument | None:
    found = comments_with_ids([comment_id]) or client(Comments).removed(comment_ids=[comment_id])
    return found[0] if found else None


def _thread(post_id: int, comment_id: int | None) -> list[Line]:
    lines = client(Comments).around(post_id=post_id, comment_id=comment_id)
    names = usernames(line.author_id for line in lines)
    return [
        Line(
            author=names.get(line.author_id or 0, ""),
            text=line.content,
            depth=line.depth,
            at=line.created_at,
            is_target=line.id == comment_id,
        )
        for line in lines
    ]


def _figures_of_post(post_id: int) -> dict[str, str]:
    comments = next((each.count for each in client(Comments).counts(post_ids=[post_id])), 0)
    reposts = next((each.reposts for each in client(Posts).reposts(post_ids=[post_id])), 0)
    found = client(Reactions).summaries(viewer_id=None, target_type="post", target_ids=[post_id])
    counts = [each.counts for each in found]
    reactions = sum(one.like + one.love + one.haha + one.sad + one.angry for one in counts)
    counted = (_counted(comments, "comment"), _counted(reactions, "reaction"), _counted(reposts, "repost"))
    gone = f"Hidden with it: {', '.join(counted)}."
    return {"remove": gone, "hide": gone, "lock": f"Still visible: {counted[0]}."}


def _figures_of_person(history: PersonHistory) -> dict[str, str]:
    posts, followers = _counted(history.posts, "post"), _counted(history.followers, "follower")
    return {
        "ban": f"Hidden: {posts}, followed by {followers}.",
        "silence": f"{posts}, for {followers} alone.",
        "reset_profile": "The profile has a name and a bio." if history.bio else "There is a name, and no text.",
    }


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"
