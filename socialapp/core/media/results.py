"""The result of a conversion, as plain data passed from the child process to its parent."""

import errno
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

REASONS = {
    "unsupported": "This is not a picture or video of a kind that can be shown.",
    "damaged": "The file is damaged or incomplete.",
    "too_many_pixels": "The picture has too many pixels.",
    "too_many_frames": "The animation has too many frames.",
    "too_long": "The video is too long.",
    "no_video": "The file holds no video.",
    "too_slow": "The file takes too long to process.",
    "refused": "This content was removed by moderators before.",
}

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class ConversionError(Exception):
    """The file cannot be converted, and retrying would not help; `code` is one of REASONS."""

    def __init__(self, code: str) -> None:
        super().__init__(REASONS[code])
        self.code = code


@dataclass(frozen=True, slots=True)
class ConvertedFile:
    """A file in the target folder; `digest` is its SHA-256 in hexadecimal."""

    path: str
    content_type: str
    digest: str
    size: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ConvertedMedia:
    """The result of converting an upload. `files` are named large, medium and small, and video for playable ones."""

    kind: str  # image, gifv or video
    width: int
    height: int
    files: dict[str, ConvertedFile] = field(default_factory=dict)
    blurhash: str = ""
    color: str = ""
    perceptual_hash: str = ""
    duration_ms: int | None = None


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
