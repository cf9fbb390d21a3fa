"""Converts pictures to WebP in three sizes. Runs in a child process: see `convert.py`.

Only the pixels of the original survive: metadata, such as the place of a photo, and anything hidden in or behind the
file are dropped.
"""

import io
import math
import warnings
from collections.abc import Sequence
from pathlib import Path

import blurhash_rs
from PIL import Image, ImageCms, ImageFilter, ImageOps, UnidentifiedImageError

from socialapp.core.media.results import DISK_FULL, ConversionError, ConvertedFile, ConvertedMedia, digest_of

EDGES = {"large": 1920, "medium": 960, "small": 400}
MAX_PIXELS_JPEG = 64_000_000  # decoded at a smaller scale
MAX_PIXELS = 36_000_000
MAX_EDGE = 20_000
MAX_FRAMES = 2_000
MAX_FRAME_PIXELS = 1_000_000_000  # frames times pixels of an animation
_MAX_PROFILE_BYTES = 1_000_000
_QUALITY = 82
_PIL_FORMATS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "avif": "AVIF", "heic": "HEIF"}
_SRGB = ImageCms.createProfile("sRGB")


def open_image(source: Path, *, file_format: str) -> Image.Image:
    """The image with its size checked, not decoded yet. Only the decoder of `file_format` reads the file."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS_JPEG
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # sizes are checked below, more strictly
    if file_format == "heic":
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False)
    try:
        image = Image.open(source, formats=[_PIL_FORMATS[file_format]])
    except Image.DecompressionBombError:
        raise ConversionError("too_many_pixels") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        raise ConversionError("damaged") from None
    width, height = image.size
    most = MAX_PIXELS_JPEG if file_format == "jpeg" else MAX_PIXELS
    if width * height > most or max(width, height) > MAX_EDGE:
        raise ConversionError("too_many_pixels")
    return image


def frames_of(image: Image.Image) -> int:
    """The number of frames of an animation; ConversionError if decoding them would take too much."""
    try:
        frames = int(getattr(image, "n_frames", 1))
    except (OSError, ValueError, SyntaxError, EOFError):
        raise ConversionError("damaged") from None
    if frames > MAX_FRAMES or frames * image.width * image.height > MAX_FRAME_PIXELS:
        raise ConversionError("too_many_frames")
    return frames


def convert_image(source: Path, *, file_format: str, target: Path) -> ConvertedMedia:
    """Writes the sizes into the folder `target` and returns their descriptions.

    ConversionError for a bad file, OSError if the disk is full.
    """
    with open_image(source, file_format=file_format) as image:
        try:
            frames_of(image)
            return convert_pixels(image, target=target)
        except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                raise
            raise ConversionError("damaged") from None


def convert_pixels(image: Image.Image, *, target: Path) -> ConvertedMedia:
    """Like `convert_image`, for an open image."""
    largest = _normalized(image)
    files: dict[str, ConvertedFile] = {}
    scaled, previous = largest, None
    for name, edge in EDGES.items():
        if max(scaled.size) > edge or previous is None:
            if max(scaled.size) > edge:
                scaled = scaled.resize(_fitting(scaled.size, edge), Image.Resampling.LANCZOS, reducing_gap=3.0)
            previous = _write(scaled, target / f"{name}.webp")
        files[name] = previous
    flat = scaled.convert("RGB")
    return ConvertedMedia(
        kind="image",
        width=files["large"].width,
        height=files["large"].height,
        files=files,
        blurhash=_blurhash(flat),
        color=_dominant_color(flat),
        perceptual_hash=perceptual_hash(flat),
    )


def _normalized(image: Image.Image) -> Image.Image:
    """At most as large as the largest size, upright, in sRGB, as RGB or RGBA."""
    edge = EDGES["large"]
    profile = image.info.get("icc_profile") or b""
    if max(image.size) >= 2 * edge:
        image.draft(None, _fitting(image.size, edge))  # JPEG only: decodes at half, a quarter or an eighth
    if image.mode.startswith("I"):  # 16 bits: converting would clip what is brighter than 255
        image = image.point(lambda value: value / 256).convert("L")
    if max(image.size) > edge:
        if image.mode in ("P", "1", "PA", "LA", "La"):
            image = image.convert("RGBA" if _has_transparency(image) else "RGB")
        image = image.resize(_fitting(image.size, edge), Image.Resampling.LANCZOS, reducing_gap=2.0)
    image = ImageOps.exif_transpose(image)
    mode = "RGBA" if _has_transparency(image) else "RGB"
    if 0 < len(profile) <= _MAX_PROFILE_BYTES:
        image = _to_srgb(image, profile, mode)
    return image if image.mode == mode else image.convert(mode)


def _has_transparency(image: Image.Image) -> bool:
    return image.has_transparency_data


def _to_srgb(image: Image.Image, profile: bytes, mode: str) -> Image.Image:
    try:
        if image.mode not in ("RGB", "RGBA", "CMYK", "L"):
            image = image.convert(mode)
        converted = ImageCms.profileToProfile(image, io.BytesIO(profile), _SRGB, outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image  # a profile that cannot be read says nothing about the colors
    return converted or image


def _fitting(size: tuple[int, int], edge: int) -> tuple[int, int]:
    """The size with its longer edge reduced to `edge`, in proportion."""
    longer = max(size)
    return (max(1, round(size[0] * edge / longer)), max(1, round(size[1] * edge / longer)))


def _write(image: Image.Image, path: Path) -> ConvertedFile:
    clean = Image.frombytes(image.mode, image.size, image.tobytes())  # pixels alone: no profile, no EXIF
    clean.save(path, "WEBP", quality=_QUALITY, method=4)
    return ConvertedFile(
        path=path.name,
        content_type="image/webp",
        digest=digest_of(path),
        size=path.stat().st_size,
        width=image.width,
        height=image.height,
    )


def _blurhash(image: Image.Image) -> str:
    tiny = image.resize((32, 32), Image.Resampling.BILINEAR)
    return blurhash_rs.encode_rgb(tiny.tobytes(), tiny.width, tiny.height, 4, 3)


def _dominant_color(image: Image.Image) -> str:
    """The most frequent of five representative colors of the picture, as #rrggbb."""
    few = image.resize((64, 64), Image.Resampling.BILINEAR).quantize(5, Image.Quantize.MEDIANCUT)
    counts: Sequence[tuple[int, int]] = few.getcolors() or []  # type: ignore[assignment]
    _, index = max(counts)
    red, green, blue = (few.getpalette() or [0, 0, 0])[index * 3 : index * 3 + 3]
    return f"#{red:02x}{green:02x}{blue:02x}"


_SIDE = 64
_MOST_HASHED = 512
_WAVES = 16
_COSINES = [
    [math.cos(math.pi / (2 * _SIDE) * wave * (2 * at + 1)) for at in range(_SIDE)] for wave in range(1, _WAVES + 1)
]


def perceptual_hash(image: Image.Image) -> str:
    """The PDQ hash: 256 bits in hexadecimal that are nearly the same for pictures that look alike.

    The lowest 16 by 16 frequencies of 64 by 64 points of blurred luma, each above or below their median. Pillow scales
    and blurs in whole numbers, so that up to 20 bits differ from the reference implementation's, of the 31 that count
    as the same picture.
    Source: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", Meta, 2019.
    """
    rows = _blurred_points(image)
    by_row = [[sum(map(float.__mul__, cosines, row)) for cosines in _COSINES] for row in rows]
    columns = list(zip(*by_row, strict=True))
    waves = [sum(map(float.__mul__, cosines, column)) for cosines in _COSINES for column in columns]
    median = sorted(waves)[(len(waves) - 1) // 2]
    bits = 0
    for wave in reversed(waves):
        bits = bits << 1 | (wave > median)
    return f"{bits:064x}"


def _blurred_points(image: Image.Image) -> list[list[float]]:
    """64 rows of 64 points of a picture's luma, blurred twice by a 128th of its width and height."""
    luma = image.convert("L")
    luma.thumbnail((_MOST_HASHED, _MOST_HASHED), Image.Resampling.BILINEAR)
    width, height = luma.size
    box = ImageFilter.BoxBlur(((width - 1) // 128 / 2, (height - 1) // 128 / 2))
    blurred = luma.filter(box).filter(box).tobytes()
    across = [int((at + 0.5) * width / _SIDE) for at in range(_SIDE)]
    starts = [int((at + 0.5) * height / _SIDE) * width for at in range(_SIDE)]
    return [[float(blurred[start + column]) for column in across] for start in starts]
