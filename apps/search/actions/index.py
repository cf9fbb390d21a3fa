"""The interface through which both back ends are written. All of it may be repeated and may come in any order."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from apps.search.models import FINAL
from apps.search.queries import EngagementCount, PostEntry
from socialapp.contracts.posts import PostDocument
from socialapp.contracts.users import ProfileDocument


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post that the index has nothing of yet, with the entry that follows from its text, and its engagement."""

    document: PostDocument
    entry: PostEntry
    engagement: EngagementCount


class IndexWriter(Protocol):
    """What can be written. An older version never replaces a newer one, nor anything a tombstone."""

    def write_posts(self, documents: list[PostDocument]) -> None:
        """Makes the posts findable; those of an erased author get a tombstone instead."""
        ...

    def write_new_posts(self, posts: list[NewPost]) -> None:
        """Makes posts findable that the index has nothing of, nor a tombstone of them or their authors."""
        ...

    def write_new_profiles(self, documents: list[ProfileDocument]) -> None:
        """Makes active people findable whom the index has nothing of, nor a tombstone of them."""
        ...

    def write_profiles(self, documents: list[ProfileDocument]) -> None:
        """Makes the profiles findable; of one that is not active only the state is kept, not the text."""
        ...

    def write_tombstone(self, kind: str, doc_id: int, *, author_id: int, version: int = FINAL) -> None:
        """Removes a document and leaves a tombstone in its place, which only a version above its own replaces.

        `author_id` is a user's own id for a profile.
        """
        ...

    def discard(self, kind: str, ids: list[int]) -> None:
        """Removes documents that a comparison found to be left over."""
        ...

    def erase_author(self, user_id: int) -> None:
        """Writes a tombstone for the profile and removes all posts of somebody."""
        ...

    def set_engagement(self, counts: list[EngagementCount]) -> None:
        """Takes over present numbers of posts; those of posts that are not in the index are dropped."""
        ...

    def forget_tombstones(self, *, older_than: timedelta) -> int:
        """Removes tombstones that nothing late can come for any more; how many."""
        ...
