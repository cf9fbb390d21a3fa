"""Detects the format of a file by its first bytes, whatever its name or declared type."""

HEAD_BYTES = 512

IMAGES = frozenset({"jpeg", "png", "webp", "gif", "avif", "heic"})
VIDEOS = frozenset({"mp4", "mov", "webm"})

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_MP4_BRANDS = frozenset({b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash"})

# Types that an upload may be declared as, with the format that its first bytes must have.
CONTENT_TYPES = {
    "image/jpeg": "jpeg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
    "image/heic": "heic",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}


def content_type_of(file_format: str) -> str:
    """The type that an upload of this format is declared as."""
    return next(content_type for content_type, named in CONTENT_TYPES.items() if named == file_format)


def detect(head: bytes) -> str | None:
    """The format of a file that begins with `head` (HEAD_BYTES of it), or None if it is not supported."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "webm" if b"webm" in head[:64] else None
    if head[4:8] == b"ftyp":
        return _iso_format(head)
    return None


def _iso_format(head: bytes) -> str | None:
    """The format of an ISO base media file, by the brands in its first box. Source: ISO/IEC 14496-12."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))}
    if brands & _AVIF_BRANDS:
        return "avif"
    if brands & _HEIC_BRANDS:
        return "heic"
    if head[8:12] == b"qt  ":
        return "mov"
    return "mp4" if brands & _MP4_BRANDS else None
