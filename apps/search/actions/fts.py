"""Writes the index in SQLite. Callers hold a transaction on search's database, so rows and text change together."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import connections, router
from django.utils import timezone

from apps.search.actions.index import NewPost
from apps.search.models import (
    FINAL,
    POSTS_TEXT,
    PROFILES_TEXT,
    IndexedHashtag,
    IndexedPost,
    IndexedProfile,
    Kind,
    Tombstone,
)
from apps.search.queries import EngagementCount, PostEntry, ProfileEntry, searchable
from socialapp.contracts.posts import PostDocument
from socialapp.contracts.users import ProfileDocument

_ACTIVE = "active"
_POST_COLUMNS = [
    "author_id", "version", "is_private", "has_media", "has_link", "has_cw", "language", "created_at",
]  # fmt: skip
_PROFILE_COLUMNS = ["username", "version", "is_active", "is_private", "followers_count", "created_at"]
_BATCH = 500


class FtsWriter:
    """See `IndexWriter`."""

    def write_posts(self, documents: list[PostDocument]) -> None:
        """See `IndexWriter.write_posts`."""
        erased = _erased(Kind.USER, [document.author_id for document in documents])
        for document in documents:
            if document.author_id in erased:
                self.write_tombstone(Kind.POST, document.id, author_id=document.author_id)
        ids = [document.id for document in documents]
        held = dict(IndexedPost.objects.filter(post_id__in=ids).values_list("post_id", "version"))
        tombstones = _tombstones(Kind.POST, ids)
        newer = [
            one for one in documents if one.version >= held.get(one.id, 0) and one.version > tombstones.get(one.id, 0)
        ]
        Tombstone.objects.filter(kind=Kind.POST, doc_id__in=[one.id for one in newer]).delete()
        entries = [(one, PostEntry.of(one)) for one in newer]
        rows = [
            IndexedPost(
                post_id=one.id,
                author_id=one.author_id,
                version=one.version,
                is_private=one.is_private,
                has_media=one.has_media,
                has_link=entry.has_link,
                has_cw=entry.has_cw,
                language=entry.language,
                created_at=one.created_at,
            )
            for one, entry in entries
        ]
        IndexedPost.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["post_id"], update_fields=_POST_COLUMNS
        )
        texts = [(one.id, searchable(entry.text), " ".join(entry.stems)) for one, entry in entries]
        _write_text(POSTS_TEXT, ["text", "stems"], texts)
        IndexedHashtag.objects.filter(post_id__in=[one.id for one in newer]).delete()
        IndexedHashtag.objects.bulk_create(
            IndexedHashtag(post_id=one.id, tag=tag) for one, entry in entries for tag in entry.hashtags
        )

    def write_new_posts(self, posts: list[NewPost]) -> None:
        """See `IndexWriter.write_new_posts`."""
        self.write_posts([post.document for post in posts])
        self.set_engagement([post.engagement for post in posts])

    def write_new_profiles(self, documents: list[ProfileDocument]) -> None:
        """See `IndexWriter.write_new_profiles`."""
        self.write_profiles(documents)

    def write_profiles(self, documents: list[ProfileDocument]) -> None:
        """See `IndexWriter.write_profiles`."""
        ids = [document.card.id for document in documents]
        held = dict(IndexedProfile.objects.filter(user_id__in=ids).values_list("user_id", "version"))
        erased = _erased(Kind.USER, ids)
        newer = [one for one in documents if one.card.id not in erased and one.version >= held.get(one.card.id, 0)]
        rows = [
            IndexedProfile(
                user_id=one.card.id,
                username=one.card.username.lower() if one.status == _ACTIVE else "",
                version=one.version,
                is_active=one.status == _ACTIVE,
                is_private=one.is_private or one.silenced,
                followers_count=one.followers_count,
                created_at=one.created_at,
            )
            for one in newer
        ]
        IndexedProfile.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["user_id"], update_fields=_PROFILE_COLUMNS
        )
        texts = [
            (one.card.id, searchable(entry.names), searchable(entry.bio), " ".join(entry.variants))
            for one in newer
            if one.status == _ACTIVE
            for entry in (ProfileEntry.of(one),)
        ]
        _remove_text(PROFILES_TEXT, [one.card.id for one in newer])
        _write_text(PROFILES_TEXT, ["names", "bio", "variants"], texts)

    def set_engagement(self, counts: list[EngagementCount]) -> None:
        """See `IndexWriter.set_engagement`."""
        numbers = {count.post_id: count for count in counts}
        rows = list(IndexedPost.objects.filter(post_id__in=numbers))
        for row in rows:
            row.reactions, row.engagement = numbers[row.post_id].reactions, numbers[row.post_id].engagement
        IndexedPost.objects.bulk_update(rows, ["reactions", "engagement"])

    def write_tombstone(self, kind: str, doc_id: int, *, author_id: int, version: int = FINAL) -> None:
        """See `IndexWriter.write_tombstone`."""
        if kind == Kind.POST and IndexedPost.objects.filter(post_id=doc_id, version__gt=version).exists():
            return  # it was restored meanwhile
        mark, _ = Tombstone.objects.get_or_create(kind=kind, doc_id=doc_id, defaults={"version": version})
        if mark.version < version:
            mark.version = version
            mark.save(update_fields=["version"])
        if kind == Kind.POST:
            _remove_posts([doc_id])
        else:
            _remove_text(PROFILES_TEXT, [doc_id])
            IndexedProfile.objects.filter(user_id=doc_id).delete()

    def discard(self, kind: str, ids: list[int]) -> None:
        """See `IndexWriter.discard`."""
        held = dict(IndexedPost.objects.filter(post_id__in=ids).values_list("post_id", "version"))
        for doc_id in ids:
            # A removed post can be restored, with a version above the next one.
            version = held.get(doc_id, 0) + 1 if kind == Kind.POST else FINAL
            self.write_tombstone(kind, doc_id, author_id=0, version=version)

    def erase_author(self, user_id: int) -> None:
        """See `IndexWriter.erase_author`."""
        self.write_tombstone(Kind.USER, user_id, author_id=user_id)
        posts = IndexedPost.objects.filter(author_id=user_id)
        while ids := list(posts.values_list("post_id", flat=True)[:_BATCH]):
            Tombstone.objects.bulk_create(
                (Tombstone(kind=Kind.POST, doc_id=post_id) for post_id in ids), ignore_conflicts=True
            )
            _remove_posts(ids)
        for table in (POSTS_TEXT, PROFILES_TEXT):  # otherwise deleted words stay in their segments
            _run(f"INSERT INTO {table} ({table}) VALUES (%s)", [("optimize",)])  # noqa: S608  (our names)

    def forget_tombstones(self, *, older_than: timedelta) -> int:
        """See `IndexWriter.forget_tombstones`."""
        return Tombstone.objects.filter(deleted_at__lt=timezone.now() - older_than).delete()[0]


def _erased(kind: str, ids: list[int]) -> set[int]:
    return set(_tombstones(kind, ids))


def _tombstones(kind: str, ids: list[int]) -> dict[int, int]:
    """The versions of the tombstones of these ids."""
    return dict(Tombstone.objects.filter(kind=kind, doc_id__in=ids).values_list("doc_id", "version"))


def _remove_posts(ids: list[int]) -> None:
    _remove_text(POSTS_TEXT, ids)
    IndexedHashtag.objects.filter(post_id__in=ids).delete()
    IndexedPost.objects.filter(post_id__in=ids).delete()


def _remove_text(table: str, ids: Iterable[int]) -> None:
    _run(f"DELETE FROM {table} WHERE rowid = %s", [(row_id,) for row_id in ids])  # noqa: S608  (our names)


def _write_text(table: str, columns: list[str], rows: Sequence[tuple[int | str, ...]]) -> None:
    _remove_text(table, [int(row[0]) for row in rows])
    marks = ", ".join(["%s"] * (len(columns) + 1))
    _run(f"INSERT INTO {table} (rowid, {', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608  (our names)


def _run(statement: str, rows: Sequence[tuple[int | str, ...]]) -> None:
    if rows:
        with connections[router.db_for_write(IndexedPost)].cursor() as cursor:
            cursor.executemany(statement, rows)
