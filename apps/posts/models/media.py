"""Media, their files in the store, and previews of links."""

from typing import Any, NamedTuple

from django.db import models

from socialapp.core.db import Gone, IdField, RemoteKey
from socialapp.core.media.stores import file_name


class UploadPart(NamedTuple):
    """A part of an upload: its number from 1 on, its name in the store and its size in bytes."""

    number: int
    name: str
    size: int


class Media(models.Model):
    """An uploaded picture, animation or video.

    The original is stored as `upload_name` until it is processed, and then deleted. `files` are the converted files.
    `position` is the place in the post; media of its earlier versions have none.
    """

    class Status(models.TextChoices):
        """The progress of the upload."""

        UPLOADING = "uploading"  # a URL to upload to was issued
        PROCESSING = "processing"
        READY = "ready"
        FAILED = "failed"

    class Place(models.TextChoices):
        """Where it is shown."""

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
    post_id = models.BigIntegerField(null=True, blank=True)  # the post that shows it, or whose comment does
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
        """The name of the original in the store, if it is uploaded in one piece."""
        return f"uploads/{self.id}"

    def upload_parts(self) -> "list[UploadPart]":
        """The parts of the original in the store, in order."""
        if self.part_size is None:
            return [UploadPart(1, self.upload_name, self.size)]
        return [
            UploadPart(number, f"{self.upload_name}.{number}", min(self.part_size, self.size - start))
            for number, start in enumerate(range(0, self.size, self.part_size), start=1)
        ]

    def exported_files(self) -> list[tuple[str, str]]:
        """For every converted file, its name in the owner's export and its name in the store."""
        return [
            (f"{self.id}-{size}.{file['extension']}", file_name(file["digest"], extension=file["extension"]))
            for size, file in self.files.items()
        ]

    def shown(self) -> dict[str, Any]:
        """The copy of this row that a post stores."""
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
    """A file in the store, named by its content: one copy, however many media use it."""

    digest = models.CharField(max_length=64, primary_key=True)
    extension = models.CharField(max_length=5)
    size = models.PositiveBigIntegerField()
    uses = models.PositiveIntegerField(default=0)  # by files of media
    unused_since = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        db_table = "stored_files"

    def __str__(self) -> str:
        return f"{self.digest}.{self.extension}"


class RefusedMedia(models.Model):
    """Media that moderators removed: the same file, or a similar picture, is refused from then on."""

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
    """A URL that the caching proxy must forget, because its visibility has changed."""

    id = IdField()
    path = models.CharField(max_length=200)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "media_purges"

    def __str__(self) -> str:
        return self.path


class LinkPreview(models.Model):
    """The metadata of the page behind a URL, stored once for all posts that link to it.

    `due_at` is when to fetch the page (again); None: not before another post links to it.
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
    """The previewed link of a post: the first one in its text."""

    post_id = models.BigIntegerField(primary_key=True)
    url_key = models.CharField(max_length=64, db_index=True)

    class Meta:
        db_table = "post_links"

    def __str__(self) -> str:
        return f"link of post {self.post_id}"
