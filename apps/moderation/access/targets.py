"""Targets of reports and checks, as their owning contexts return them."""

from collections import defaultdict
from collections.abc import Iterable

import structlog
from django.conf import settings

from apps.moderation.access.screening import Document, text_digest
from apps.moderation.models import TargetType, WordRule
from apps.moderation.queries import Target, active_word_rules
from socialapp.contracts.comments import CommentDocument, Comments, text_of_comment
from socialapp.contracts.posts import PostDocument, Posts, ReviewedMedia
from socialapp.contracts.users import Users
from socialapp.core.errors import Invalid, NotFound, Problem
from socialapp.core.outgoing import Limits, OutgoingError, redirected, request
from socialapp.core.text.urls import find_urls, link_hosts
from socialapp.rpc.calls import client

log = structlog.get_logger()

_MOST_SHORT_LINKS = 3
_MOST_HOPS = 4
_SHORT = Limits(seconds=3, max_bytes=64 * 1024, redirects=0)


def target_to_report(*, reporter_id: int, target_type: str, target_id: int) -> Target:
    """The target of a report, as the reporter may see it: NotFound if they may not, Invalid if it is their own."""
    author_id = _author_if_visible(reporter_id, target_type, target_id)
    if author_id is None:
        raise NotFound("there is no such target, or you may not see it")
    if author_id == reporter_id:
        raise Invalid.of("target_id", "own_target", "You cannot report yourself or what you wrote.")
    return Target(target_type, target_id, author_id)


def text_of(target: Target) -> str:
    """The present text of a post, comment or profile; "" if it is unavailable. One call."""
    try:
        if target.type == TargetType.POST:
            return "".join(post.text for post in posts_with_ids([target.id]))
        if target.type == TargetType.COMMENT:
            return "".join(comment.content for comment in comments_with_ids([target.id]))
        return "".join(person.bio for person in client(Users).documents(ids=[target.id]))
    except Problem as problem:
        log.warning("moderation.no_text", error=problem.detail)
        return ""


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


def target_of_staff(*, target_type: str, target_id: int) -> Target | None:
    """Any existing person, post or comment, even if removed or hidden; None if there is none."""
    author_id: int | None = None
    if target_type == TargetType.USER:
        author_id = next((person.card.id for person in client(Users).documents(ids=[target_id])), None)
    elif target_type == TargetType.POST:
        posts = [*posts_with_ids([target_id]), *client(Posts).removed(post_ids=[target_id])]
        author_id = next((post.author_id for post in posts), None)
    elif target_type == TargetType.COMMENT:
        comments = [*comments_with_ids([target_id]), *client(Comments).removed(comment_ids=[target_id])]
        author_id = next((comment.author_id for comment in comments), None)
    return Target(target_type, target_id, author_id) if author_id is not None else None


def documents_to_check(
    *,
    post_ids: list[int] | None = None,
    comment_ids: list[int] | None = None,
    user_ids: list[int] | None = None,
    rules: list[WordRule] | None = None,
    are_held: bool = False,
) -> list[Document]:
    """The present texts of posts, comments and profiles for the given rules, or the active ones; empty if there are
    none. Includes the targets of short links and the hashes of media, if a rule needs them.

    `are_held`: those held back for review since they were written, whatever the rules are.
    """
    if rules is None:
        rules = active_word_rules()
    if not (rules or are_held):
        return []
    kinds: set[str] = {rule.kind for rule in rules}
    posts = _waiting_posts(post_ids or []) if are_held else posts_with_ids(post_ids or [])
    comments = _waiting_comments(comment_ids or []) if are_held else comments_with_ids(comment_ids or [])
    people = client(Users).documents(ids=user_ids) if user_ids else []
    descriptions = _descriptions_in(comments)
    media = _media_in(posts, comments, known=[rule.pattern for rule in rules if rule.kind == WordRule.Kind.MEDIA])
    return [
        *(
            _document(Target(TargetType.POST, post.id, post.author_id), post.text, kinds, media=media[post.id])
            for post in posts
        ),
        *(
            _document(
                Target(TargetType.COMMENT, comment.id, comment.author_id),
                text_of_comment(comment.content, descriptions=descriptions.get(comment.id, [])),
                kinds,
                media=media[comment.id],
            )
            for comment in comments
        ),
        *(
            _document(
                Target(TargetType.USER, person.card.id, person.card.id),
                "\n".join((person.card.username, person.card.full_name, person.bio)),
                kinds,
            )
            for person in people
            if person.status == "active"
        ),
    ]


def _waiting_posts(ids: list[int]) -> list[PostDocument]:
    return [post for post in client(Posts).removed(post_ids=ids) if post.is_waiting] if ids else []


def _waiting_comments(ids: list[int]) -> list[CommentDocument]:
    return [comment for comment in client(Comments).removed(comment_ids=ids) if comment.is_waiting] if ids else []


def _descriptions_in(comments: list[CommentDocument]) -> dict[int, list[str]]:
    """The descriptions of the images in comments, by comment. One call at most."""
    illustrated = [comment.id for comment in comments if comment.has_media]
    found = client(Posts).comment_media(comment_ids=illustrated, withheld_ids=[]) if illustrated else []
    return {media.comment_id: [media.body["description"]] for media in found}


def _media_in(posts: list[PostDocument], comments: list[CommentDocument], *, known: list[str]) -> dict[int, set[str]]:
    """The hashes of the media of posts and comments, by post or comment. One call if any are `known`."""
    found: dict[int, set[str]] = defaultdict(set)
    post_ids, comment_ids = [post.id for post in posts], [comment.id for comment in comments if comment.has_media]
    if known and (post_ids or comment_ids):
        for one in client(Posts).media_hashes(post_ids=post_ids, comment_ids=comment_ids, known=known):
            found[one.comment_id or one.post_id].add(one.sha256)
    return found


def _document(target: Target, text: str, kinds: set[str], *, media: Iterable[str] = ()) -> Document:
    hosts = link_hosts(text)
    resolved = _resolved(text) if WordRule.Kind.DOMAIN in kinds else frozenset()
    return Document(
        target, text, hosts=resolved, media=frozenset(media), has_link=bool(hosts), digest=text_digest(text)
    )


def _resolved(text: str) -> frozenset[str]:
    """The hosts that the first few short links of a text lead to; omits those that do not answer in time."""
    found: set[str] = set()
    spans = [text[span.start : span.end] for span in find_urls(text)]
    short = [url for url in spans if _is_short(url)]
    for url in short[:_MOST_SHORT_LINKS]:
        try:
            found.update(_hosts_behind(url if "://" in url else f"https://{url}"))
        except OutgoingError as error:
            log.info("moderation.short_link_unresolved", error=str(error))
    return frozenset(found)


def _hosts_behind(url: str) -> set[str]:
    """Every host on the redirect path of a short link. Only shorteners are requested: the destination is never
    visited."""
    found: set[str] = set()
    for _ in range(_MOST_HOPS):
        location = request("HEAD", url, limits=_SHORT).headers.get("location", "")
        if not location:
            break
        url = redirected(url=url, location=location)
        found.update(link_hosts(url))
        if not _is_short(url):
            break
    return found


def _is_short(url: str) -> bool:
    return bool(set(link_hosts(url)) & settings.LINK_SHORTENERS)


def posts_with_ids(ids: list[int]) -> list[PostDocument]:
    """The posts that exist; no call without ids."""
    return client(Posts).documents(post_ids=ids) if ids else []


def media_of_target(*, target_type: str, target_id: int) -> list[ReviewedMedia]:
    """The present or former media of a post or comment; empty if they are unavailable. One call."""
    try:
        if target_type == TargetType.POST:
            return client(Posts).reviewed_media(post_ids=[target_id])
        if target_type == TargetType.COMMENT:
            return client(Posts).reviewed_comment_media(comment_ids=[target_id])
    except Problem as problem:
        log.warning("moderation.no_media", error=problem.detail)
    return []


def comments_with_ids(ids: list[int]) -> list[CommentDocument]:
    """The comments that exist; no call without ids."""
    return client(Comments).documents(comment_ids=ids) if ids else []


def removed_texts(*, post_ids: list[int], comment_ids: list[int]) -> dict[int, str]:
    """The texts of removed or hidden posts and comments that may be restored. Ids are unique over all contexts."""
    posts = client(Posts).removed(post_ids=post_ids) if post_ids else []
    comments = client(Comments).removed(comment_ids=comment_ids) if comment_ids else []
    return {post.id: post.text for post in posts} | {comment.id: comment.content for comment in comments}
