"""The tables of search: the SQLite index and, in `documents`, the mapping of the Elasticsearch index.

The text is in two FTS5 tables beside these (`search_posts_text`, `search_profiles_text`, created by the first
migrations if the database is SQLite); the rows here have the columns for filtering and sorting.
"""

from django.db import models

from socialapp.core.db import Gone, IdField, RemoteKey

POSTS_TEXT = "search_posts_text"
PROFILES_TEXT = "search_profiles_text"


# The version of a permanent tombstone: above any that rows count up to.
FINAL = 1 << 62


class Kind(models.TextChoices):
    """A searchable document whose source row is elsewhere."""

    POST = "post"
    USER = "user"


class IndexedPost(models.Model):
    """An indexed post, in the form of `version`."""

    post_id = RemoteKey("posts.Post", gone=Gone.ERASE, primary_key=True)
    author_id = RemoteKey("users.Profile", gone=Gone.ERASE, db_index=True)
    version = models.PositiveBigIntegerField()
    is_private = models.BooleanField()
    has_media = models.BooleanField()
    has_link = models.BooleanField(default=False, db_default=False)
    has_cw = models.BooleanField(default=False, db_default=False)
    language = models.CharField(max_length=2, default="", db_default="")  # ISO 639-1; empty: not known
    # From metrics, a few seconds late; `engagement` is a weighted sum of reactions, comments and reposts.
    reactions = models.PositiveBigIntegerField(default=0, db_default=0)
    engagement = models.PositiveBigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "search_posts"

    def __str__(self) -> str:
        return f"post {self.post_id} version {self.version}"


class IndexedProfile(models.Model):
    """An indexed profile; inactive ones have no text, and their posts are not found either.

    `is_private`: its posts are for followers, because the account is private or a moderator has silenced it.
    """

    user_id = RemoteKey("users.Profile", gone=Gone.ERASE, primary_key=True)
    username = models.CharField(max_length=150, db_index=True)
    version = models.PositiveBigIntegerField()
    is_active = models.BooleanField()
    is_private = models.BooleanField()
    followers_count = models.PositiveBigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "search_profiles"

    def __str__(self) -> str:
        return f"profile {self.user_id} version {self.version}"


class IndexedHashtag(models.Model):
    """One hashtag of one indexed post; their number is the hashtag's posts count."""

    id = IdField()
    post = models.ForeignKey(IndexedPost, on_delete=models.CASCADE, related_name="hashtags")
    tag = models.CharField(max_length=255)

    class Meta:
        db_table = "search_hashtags"
        constraints = (models.UniqueConstraint(fields=["post", "tag"], name="search_hashtag_once"),)
        indexes = (models.Index(fields=["tag"], name="search_hashtag_tag"),)

    def __str__(self) -> str:
        return f"#{self.tag}"


class Tombstone(models.Model):
    """A tombstone: late events about it are not indexed.

    What may be restored has a tombstone with its own version, and comes back with a higher one.
    """

    id = IdField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # For users too: without their id they could come back. It is not personal data.
    doc_id = RemoteKey("users.Profile", gone=Gone.KEEP)
    version = models.PositiveBigIntegerField(default=FINAL, db_default=FINAL)
    deleted_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "search_tombstones"
        constraints = (models.UniqueConstraint(fields=["kind", "doc_id"], name="search_tombstone_once"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.doc_id}"


class SyncPosition(models.Model):
    """How far a source of changes has been read; written in the transaction of the effect."""

    source = models.CharField(max_length=200, primary_key=True)
    position = models.TextField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "search_sync_positions"

    def __str__(self) -> str:
        return f"{self.source} at {self.position}"
