"""Posts and what belongs to them: edits, hashtags, mentions, bookmarks, reposts and their counts."""

from typing import Any, NamedTuple

from django.db import models

from socialapp.core.db import Gone, IdField, RemoteKey
from socialapp.core.media.stores import file_name
from socialapp.core.text.hashtags import MAX_HASHTAG


class _PostColumns(models.Model):
    """What a post is made of."""

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    content = models.TextField()
    media_url = models.CharField(max_length=500, blank=True, default="")
    is_private = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    edited = models.BooleanField(default=False)
    hashtags = models.JSONField(default=list)  # ["tag", …] in the order of the text
    mentions = models.JSONField(default=list)  # [[user id, username], …] in the order of the text
    # What is shown of the post's media, in its order: a copy of Media.shown(), so that lists need no query for it.
    media = models.JSONField(null=True, blank=True)
    sensitive = models.BooleanField(default=False, db_default=False)
    content_warning = models.CharField(max_length=200, blank=True, default="", db_default="")
    # What moderators decided, beside what the author chose; `…_at` is the moment of the latest decision about it.
    marked_sensitive = models.BooleanField(default=False, db_default=False)
    marked_sensitive_at = models.DateTimeField(null=True, blank=True)
    hidden = models.BooleanField(default=False, db_default=False)  # only its author sees it
    hidden_at = models.DateTimeField(null=True, blank=True)
    waiting = models.BooleanField(default=False, db_default=False)  # hidden until a moderator has looked at it
    comments_locked = models.BooleanField(default=False, db_default=False)  # nobody adds comments
    comments_locked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Post(_PostColumns):
    """A post. The id alone is the key and nothing else is unique, so that the table can be partitioned by id."""

    class Meta:
        db_table = "posts"
        indexes = (models.Index(fields=["user_id", "id"], name="posts_author"),)

    def __str__(self) -> str:
        return f"post {self.id}"


class RemovedPost(_PostColumns):
    """A post that a moderator removed, as it was: no longer among the posts, so that no read can come across it.

    What belongs to it stays where it is, in case it comes back. `action_id` is the removal.
    """

    action_id = models.BigIntegerField(db_index=True)
    removed_at = models.DateTimeField(auto_now_add=True, db_index=True, db_column="withdrawn_at")

    class Meta:
        db_table = "withdrawn_posts"
        indexes = (models.Index(fields=["user_id", "id"], name="withdrawn_posts_author"),)

    def __str__(self) -> str:
        return f"removed post {self.id}"


class RestoredRemoval(models.Model):
    """The mark of a removal that was taken back: should its event arrive late, it removes nothing."""

    action_id = models.BigIntegerField(primary_key=True)
    restored_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "posts_restored_removals"

    def __str__(self) -> str:
        return f"removal {self.action_id}"


class UploadPart(NamedTuple):
    """A part of an upload: its number from 1 on, its name in the store and its size in bytes."""

    number: int
    name: str
    size: int


class Media(models.Model):
    """A picture, animation or video that somebody uploaded.

    The original waits in the store as `upload_name` until it is processed, and is deleted then. `files` are what was
    made of it. `position` is the place in the post; media of earlier versions of the post have none.
    """

    class Status(models.TextChoices):
        """How far it has come."""

        UPLOADING = "uploading"  # an address to upload to was given out
        PROCESSING = "processing"
        READY = "ready"
        FAILED = "failed"

    class Place(models.TextChoices):
        """What shows it."""

        NOWHERE = ""
        POST = "post"
        PROFILE = "profile"  # as the profile picture
        HEADER = "header"  # at the head of the profile
        COMMENT = "comment"

        @property
        def is_in_profile(self) -> bool:
            """Whether everybody who sees the profile sees it."""
            return self in (Media.Place.PROFILE, Media.Place.HEADER)

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROCESSING)
    shown_in = models.CharField(max_length=10, choices=Place.choices, blank=True, default=Place.NOWHERE)
    post_id = models.BigIntegerField(null=True, blank=True)  # that shows it, or whose comment does
    comment_id = RemoteKey("comments.Comment", gone=Gone.ERASE, null=True, blank=True, db_index=True)
    position = models.PositiveSmallIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=10, default="image")  # image, gifv or video
    description = models.CharField(max_length=1500, blank=True, default="")
    file_format = models.CharField(max_length=10, blank=True, default="")
    size = models.PositiveBigIntegerField()  # of the upload, in bytes
    part_size = models.PositiveIntegerField(null=True, blank=True)  # of an upload in parts; the last may be smaller
    content_hash = models.CharField(max_length=64, blank=True, default="")  # SHA-256 of the upload
    perceptual_hash = models.CharField(max_length=64, blank=True, default="")
    error = models.CharField(max_length=30, blank=True, default="")
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    blurhash = models.CharField(max_length=60, blank=True, default="")
    color = models.CharField(max_length=7, blank=True, default="")
    files = models.JSONField(default=dict)  # name → {"digest", "extension", "width", "height"}
    version = models.PositiveIntegerField(default=1)
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "media"
        verbose_name_plural = "media"
        indexes = (
            models.Index(fields=["user_id", "created_at"], name="media_owner"),
            models.Index(fields=["post_id"], name="media_post"),
            models.Index(fields=["status", "created_at"], name="media_status"),
            models.Index(fields=["shown_in", "created_at"], name="media_unused"),
            models.Index(fields=["content_hash"], name="media_content"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def upload_name(self) -> str:
        """Where the original is in the store, when it is uploaded in one piece."""
        return f"uploads/{self.id}"

    def upload_parts(self) -> "list[UploadPart]":
        """What the original consists of in the store, in order."""
        if self.part_size is None:
            return [UploadPart(1, self.upload_name, self.size)]
        return [
            UploadPart(number, f"{self.upload_name}.{number}", min(self.part_size, self.size - start))
            for number, start in enumerate(range(0, self.size, self.part_size), start=1)
        ]

    def exported_files(self) -> list[tuple[str, str]]:
        """What it is called in its owner's export, and where it is in the store, of every file that was made of it."""
        return [
            (f"{self.id}-{size}.{file['extension']}", file_name(file["digest"], extension=file["extension"]))
            for size, file in self.files.items()
        ]

    def shown(self) -> dict[str, Any]:
        """The copy of this row that a post keeps."""
        return {
            "id": self.id,
            "kind": self.kind,
            "width": self.width,
            "height": self.height,
            "duration_ms": self.duration_ms,
            "blurhash": self.blurhash,
            "color": self.color,
            "description": self.description,
            "files": self.files,
        }


class StoredFile(models.Model):
    """A file in the store, named by its content: one copy, however many media consist of it."""

    digest = models.CharField(max_length=64, primary_key=True)
    extension = models.CharField(max_length=5)
    size = models.PositiveBigIntegerField()
    uses = models.PositiveIntegerField(default=0)  # by how many files of media
    unused_since = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        db_table = "stored_files"

    def __str__(self) -> str:
        return f"{self.digest}.{self.extension}"


class RefusedMedia(models.Model):
    """Media that moderators removed: the same file, or a picture that looks the same, is refused from then on."""

    media_id = models.BigIntegerField(primary_key=True)
    content_hash = models.CharField(max_length=64, db_index=True)
    perceptual_hash = models.CharField(max_length=64, blank=True)
    refused_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "refused_media"
        verbose_name_plural = "refused media"

    def __str__(self) -> str:
        return f"media {self.media_id}"


class MediaPurge(models.Model):
    """An address that caches in front are to forget, as who may see what is behind it has changed."""

    id = IdField()
    path = models.CharField(max_length=200)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "media_purges"

    def __str__(self) -> str:
        return self.path


class LinkPreview(models.Model):
    """What the page behind a URL says about itself, kept once for all posts that link to it.

    `due_at` is when the page is to be fetched (again); None: not before another post links to it.
    """

    url_key = models.CharField(max_length=64, primary_key=True)  # SHA-256 of the URL
    url = models.CharField(max_length=2000)
    title = models.CharField(max_length=200, blank=True, default="")  # empty: nothing to show (yet)
    description = models.CharField(max_length=500, blank=True, default="")
    site_name = models.CharField(max_length=100, blank=True, default="")
    image = models.JSONField(null=True, blank=True)  # {"files": as in Media, "blurhash", "color"}
    due_at = models.DateTimeField(null=True, blank=True, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    fetched_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "link_previews"

    def __str__(self) -> str:
        return self.url


class PostLink(models.Model):
    """The link of a post that is previewed: the first one in its text."""

    post_id = models.BigIntegerField(primary_key=True)
    url_key = models.CharField(max_length=64, db_index=True)

    class Meta:
        db_table = "post_links"

    def __str__(self) -> str:
        return f"link of post {self.post_id}"


class MutedPost(models.Model):
    """A post whose conversation somebody wants no notifications about."""

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    post_id = models.BigIntegerField()

    class Meta:
        db_table = "muted_posts"
        constraints = (models.UniqueConstraint(fields=["user_id", "post_id"], name="muted_posts_once"),)
        indexes = (models.Index(fields=["post_id"], name="muted_posts_post"),)

    def __str__(self) -> str:
        return f"post {self.post_id} muted by user {self.user_id}"


class PostEdit(models.Model):
    """An earlier text of a post, with the privacy it had: a text that was private stays so in the history."""

    id = IdField()
    post_id = models.BigIntegerField()
    version = models.PositiveIntegerField()
    content = models.TextField()
    is_private = models.BooleanField()
    media = models.JSONField(null=True, blank=True)  # as in Post
    written_at = models.DateTimeField()

    class Meta:
        db_table = "post_edits"
        constraints = (models.UniqueConstraint(fields=["post_id", "version"], name="post_edits_version"),)

    def __str__(self) -> str:
        return f"version {self.version} of post {self.post_id}"


class PostHashtag(models.Model):
    """A hashtag of a post. `tag_key` is a digest of its key: databases think that "café" and "cafe" are equal."""

    id = IdField()
    tag = models.CharField(max_length=MAX_HASHTAG)
    tag_key = models.CharField(max_length=32)
    post_id = models.BigIntegerField()

    class Meta:
        db_table = "post_hashtags"
        constraints = (models.UniqueConstraint(fields=["tag_key", "post_id"], name="post_hashtags_once"),)
        indexes = (models.Index(fields=["post_id"], name="post_hashtags_post"),)

    def __str__(self) -> str:
        return f"#{self.tag} in post {self.post_id}"


class PostMention(models.Model):
    """Somebody whom a post names."""

    id = IdField()
    post_id = models.BigIntegerField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)

    class Meta:
        db_table = "post_mentions"
        constraints = (models.UniqueConstraint(fields=["user_id", "post_id"], name="post_mentions_once"),)
        indexes = (models.Index(fields=["post_id"], name="post_mentions_post"),)

    def __str__(self) -> str:
        return f"user {self.user_id} in post {self.post_id}"


class Bookmark(models.Model):
    """A post that somebody keeps for themselves; ids give the order in which posts were kept."""

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    post_id = models.BigIntegerField()

    class Meta:
        db_table = "bookmarks"
        constraints = (models.UniqueConstraint(fields=["user_id", "post_id"], name="bookmarks_once"),)
        indexes = (
            models.Index(fields=["user_id", "id"], name="bookmarks_list"),
            models.Index(fields=["post_id"], name="bookmarks_post"),
        )

    def __str__(self) -> str:
        return f"post {self.post_id} kept by user {self.user_id}"


class Repost(models.Model):
    """A public post that somebody passes on to their followers."""

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    post_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "reposts"
        constraints = (models.UniqueConstraint(fields=["user_id", "post_id"], name="reposts_once"),)
        indexes = (models.Index(fields=["post_id", "user_id"], name="reposts_post"),)

    def __str__(self) -> str:
        return f"post {self.post_id} reposted by user {self.user_id}"


class RepostCount(models.Model):
    """How often a post was reposted: beside the post, as reposts must not lock the post itself."""

    post_id = models.BigIntegerField(primary_key=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "repost_counts"

    def __str__(self) -> str:
        return f"{self.count} reposts of post {self.post_id}"


class PopularAuthor(models.Model):
    """Somebody whose posts are no longer pushed into feeds but merged in when a feed is read.

    Nobody is taken out again: posts that were not pushed would be missing from the feeds.
    """

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE, unique=True)

    class Meta:
        db_table = "popular_authors"

    def __str__(self) -> str:
        return f"user {self.user_id}"


class FeedEpoch(models.Model):
    """One row, whose number rises when no list of a feed that was built before may be read on.

    That is so when somebody became popular, when a post could not be pushed into lists, and when Redis may have come
    back with lists of an earlier time. Raising it locks the row, so numbers rise in the order of commits.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.PositiveBigIntegerField(default=0)
    redis_run = models.CharField(max_length=64, blank=True, default="")  # which process of Redis held the lists last

    class Meta:
        db_table = "feed_epoch"

    def __str__(self) -> str:
        return f"epoch {self.number}"
