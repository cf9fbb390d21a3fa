"""The writing interface of both back ends. All operations are idempotent and independent of order."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from apps.search.models import FINAL
from apps.search.queries import EngagementCount, PostEntry
from socialapp.contracts.posts import PostDocument
from socialapp.contracts.users import ProfileDocument


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post that is new to the index, with the entry derived from its text, and its engagement."""

    document: PostDocument
    entry: PostEntry
    engagement: EngagementCount


class IndexWriter(Protocol):
    """The writing operations. An older version never replaces a newer one, nor a tombstone."""

    def write_posts(self, documents: list[PostDocument]) -> None:
        """Indexes the posts; those of an erased author get a tombstone instead."""
        ...

    def write_new_posts(self, posts: list[NewPost]) -> None:
        """Indexes posts that are not in the index, unless they or their authors have a tombstone."""
        ...

    def write_new_profiles(self, documents: list[ProfileDocument]) -> None:
        """Indexes active people who are not in the index, unless they have a tombstone."""
        ...

    def write_profiles(self, documents: list[ProfileDocument]) -> None:
        """Indexes the profiles; of inactive ones only the state, not the text."""
        ...

    def write_tombstone(self, kind: str, doc_id: int, *, author_id: int, version: int = FINAL) -> None:
        """Deletes a document and leaves a tombstone, which only a version above its own replaces.

        `author_id` is a user's own id for a profile.
        """
        ...

    def discard(self, kind: str, ids: list[int]) -> None:
        """Deletes documents that a comparison found to be left over."""
        ...

    def erase_author(self, user_id: int) -> None:
        """Writes a tombstone for somebody's profile and deletes all their posts."""
        ...

    def set_engagement(self, counts: list[EngagementCount]) -> None:
        """Sets the present numbers of posts; those of posts that are not in the index are ignored."""
        ...

    def forget_tombstones(self, *, older_than: timedelta) -> int:
        """Deletes tombstones that no late event can need any more; returns how many."""
        ...
