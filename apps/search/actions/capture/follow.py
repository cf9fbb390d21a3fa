"""Follows the sources of changes and updates the index."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event

from django.conf import settings

from apps.search.actions.backend import writer
from apps.search.actions.capture.source import CAPTURED, CaptureRefused, RowChange, Source
from apps.search.actions.sync import index_profiles
from apps.search.models import Kind, SyncPosition
from socialapp.contracts.posts import PostDocument, Posts
from socialapp.contracts.users import ProfileDocument, Users
from socialapp.core.db import transactional
from socialapp.rpc.calls import client

_MAX_IDS = 500
# The person whose document a row affects: a follow changes the number of followers.
_PERSON = {"profiles": "user_id", "follows": "following_id"}


@dataclass(frozen=True, slots=True)
class _Gone:
    """a row of posts that was deleted, as it was."""

    post_id: int
    author_id: int
    version: int


def sources() -> list[Source]:
    """The sources of this deployment: Debezium's topics if `SEARCH_CDC_URL` is set, else each server's binlog."""
    if settings.SEARCH_CDC_URL.startswith("kafka:"):
        from apps.search.actions.capture.debezium_kafka import KafkaSource

        return [KafkaSource(settings.SEARCH_CDC_URL, prefix=settings.SEARCH_CDC_PREFIX)]
    if settings.SEARCH_CDC_URL:
        from apps.search.actions.capture.debezium import RedisSource

        return [RedisSource(settings.SEARCH_CDC_URL, prefix=settings.SEARCH_CDC_PREFIX)]
    from apps.search.actions.capture.binlog import BinlogSource, Server

    servers: dict[tuple[str, int, str, str], list[str]] = {}
    for context in CAPTURED:
        configured = settings.DATABASES.get(context, {})
        if "mysql" not in configured.get("ENGINE", ""):
            raise CaptureRefused(f"the database of {context} has no binlog: only those of MariaDB and MySQL have")
        key = (
            configured["HOST"] or "127.0.0.1",
            int(configured["PORT"] or 3306),
            configured["USER"],
            configured["PASSWORD"],
        )
        servers.setdefault(key, []).append(configured["NAME"])
    return [BinlogSource(Server(*key, databases=tuple(names))) for key, names in servers.items()]


def follow(*, source: Source, stopping: Event, from_now: bool = False) -> None:
    """Writes changes to the index until `stopping`. The first time, and with `from_now`, from this moment on.

    A crash at any point leaves the position consistent with its effect, so that nothing is skipped. CaptureRefused if
    the source is not configured for it; other errors of the source are raised too, for the caller to restart this.
    """
    source.check()
    saved = SyncPosition.objects.filter(source=source.name).values_list("position", flat=True).first()
    position = saved if saved and not from_now else ""
    if not position:
        position = source.start()
        apply_changes(source=source.name, changes=[], position=position)
    for batch in source.read(position, stopping):
        apply_changes(source=source.name, changes=batch.changes, position=batch.position)
        source.saved(batch.position)


def apply_changes(*, source: str, changes: Sequence[RowChange], position: str) -> None:
    """Indexes the present documents of changed rows, and saves the position in the same transaction.

    Deleted posts get a tombstone with the version after their last: a removed post is restored above that.
    """
    posts = [change for change in changes if change.table == "posts"]
    post_ids = sorted({int(change.after["id"]) for change in posts if change.after})
    gone = [
        _Gone(int(change.before["id"]), int(change.before["user_id"]), int(change.before["version"]))
        for change in posts
        if change.before and not change.after
    ]
    people = {
        int(str(row[_PERSON[change.table]]))
        for change in changes
        if change.table in _PERSON
        for row in (change.before, change.after)
        if row
    }
    documents = [
        document
        for start in range(0, len(post_ids), _MAX_IDS)
        for document in client(Posts).documents(post_ids=post_ids[start : start + _MAX_IDS])
    ]
    user_ids = sorted(people)
    profiles = [
        document
        for start in range(0, len(user_ids), _MAX_IDS)
        for document in client(Users).documents(ids=user_ids[start : start + _MAX_IDS])
    ]
    _write(source, position, documents, profiles, gone)


@transactional("search")
def _write(
    source: str,
    position: str,
    documents: list[PostDocument],
    profiles: list[ProfileDocument],
    gone: list[_Gone],
) -> None:
    if profiles:
        index_profiles(documents=profiles)
    for row in gone:
        writer().write_tombstone(Kind.POST, row.post_id, author_id=row.author_id, version=row.version + 1)
    if documents:
        writer().write_posts(documents)
    SyncPosition.objects.update_or_create(source=source, defaults={"position": position})
