"""Malicious files: each fails with a reason, leaves nothing behind, and does not harm the process."""

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from apps.posts.models import Media, StoredFile
from socialapp.core.media.convert import convert
from socialapp.core.media.formats import HEAD_BYTES, detect
from socialapp.core.media.images import perceptual_hash
from socialapp.core.media.likeness import distance, looks_the_same
from socialapp.core.media.results import ConversionError, ConvertedMedia
from tests.conftest import ALL_CONTEXTS, Person
from tests.media.conftest import animation, picture, send
from tests.media.stores import Store

ROOT = Path(__file__).resolve().parents[2]

databases = pytest.mark.django_db(databases=ALL_CONTEXTS)


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def huge_png(width: int, height: int) -> bytes:
    """A few kilobytes that claim to be a picture of this size."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = png_chunk(b"IDAT", zlib.compress(bytes(width * 3 + 1) * min(height, 200), 9))
    return b"\x89PNG\r\n\x1a\n" + header + data + png_chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A PNG whose compressed text grows to 200 MB."""
    bomb = png_chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(200 * 2**20), 9))
    plain = picture()
    return plain[:33] + bomb + plain[33:]


def profile_bomb() -> bytes:
    """A PNG whose color profile grows to 200 MB."""
    bomb = png_chunk(b"iCCP", b"icc\x00\x00" + zlib.compress(bytes(200 * 2**20), 9))
    plain = picture()
    return plain[:33] + bomb + plain[33:]


def exif_bomb() -> bytes:
    """A PNG whose EXIF has two directories that lead to each other, with a thousand entries that claim gigabytes."""
    entry = struct.pack(">HHII", 0x010E, 2, 2**31, 8)
    pointers = struct.pack(">HHII", 0x8769, 4, 1, 8) + struct.pack(">HHII", 0x8825, 4, 1, 8)
    exif = b"MM\x00\x2a\x00\x00\x00\x08" + struct.pack(">H", 1002) + entry * 1000 + pointers + struct.pack(">I", 8)
    plain = picture()
    return plain[:33] + png_chunk(b"eXIf", exif) + plain[33:]


def many_frames(frames: int) -> bytes:
    """A GIF with this many identical frames."""
    two = animation(2)
    start = two.index(b"\x21\xf9", two.index(b"\x2c"))
    return two[:start] + two[start:-1] * frames + b"\x3b"


def html_in_a_gif() -> bytes:
    return b"GIF89a/*<script>alert(1)</script>*/"


CORPUS: dict[str, Callable[[], bytes]] = {
    "truncated png": lambda: picture((400, 300))[:700],
    "truncated jpeg": lambda: picture((400, 300), "JPEG")[:1200],
    "truncated gif": lambda: animation(20)[:300],
    "truncated avif": lambda: picture((200, 100), "AVIF")[:200],
    "50,000 by 50,000": lambda: huge_png(50_000, 50_000),
    "one very long row": lambda: huge_png(60_000, 10),
    "text bomb": text_bomb,
    "profile bomb": profile_bomb,
    "exif bomb": exif_bomb,
    "20,000 frames": lambda: many_frames(20_000),
    "html that begins as a gif": html_in_a_gif,
    "playlist that poses as mp4": lambda: (
        b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
    ),
    "mp4 without a video": lambda: b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(1000),
    "webm header only": lambda: (
        b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"
    ),
    "nothing behind the jpeg's magic": lambda: b"\xff\xd8\xff\xe0" + bytes(100),
}
# Converted nevertheless: the hidden data is dropped without being unpacked, or the file ends early.
SURVIVED = {"text bomb", "profile bomb", "exif bomb", "truncated gif"}
REASONS = {"damaged", "too_many_pixels", "too_many_frames", "no_video"}


@pytest.mark.parametrize("name", CORPUS)
def test_a_malicious_file_fails_with_a_reason(name: str, tmp_path: Path) -> None:
    content = CORPUS[name]()
    file_format = detect(content[:HEAD_BYTES])
    assert file_format is not None
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(content)
    target.mkdir()
    code = ""
    try:
        convert(source, file_format=file_format, target=target, heartbeat=lambda: None)
    except ConversionError as error:
        code = error.code
    assert code in REASONS or (name in SURVIVED and not code)


# In a separate process, as a child's peak memory includes the size of its parent.
_MEASURE = """
import resource, sys
from pathlib import Path
from socialapp.core.media.convert import convert
from socialapp.core.media.results import ConversionError
source, target, file_format = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
try:
    convert(source, file_format=file_format, target=target, heartbeat=lambda: None)
except ConversionError:
    pass
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.parametrize(
    "name", ["50,000 by 50,000", "one very long row", "text bomb", "profile bomb", "exif bomb", "20,000 frames"]
)
def test_decompression_bombs_use_little_memory(name: str, tmp_path: Path) -> None:
    content = CORPUS[name]()
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(content)
    target.mkdir()
    command = [sys.executable, "-c", _MEASURE, str(source), str(target), str(detect(content[:HEAD_BYTES]))]
    measured = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert int(measured.stdout) < 200 * 1024, "kibibytes"


@databases
@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://169.254.169.254/\n",
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"PK\x03\x04" + bytes(100),
        b"\x1a\x45\xdf\xa3" + b"matroska" + bytes(100),
        b"\x00\x00\x00\x18ftyp3gp5" + bytes(20),
    ],
    ids=["svg", "html", "hls", "pdf", "eps", "zip", "matroska", "3gp"],
)
def test_other_file_types_are_rejected_at_upload(content: bytes, register: Callable[..., Person], store: Store) -> None:
    answer = send(register("ann"), content)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "media_unsupported")
    assert Media.objects.count() == 0
    assert store.names() == []


@databases
@pytest.mark.parametrize("name", ["a." + "x" * 300, "a." + "é" * 200, "a" * 600])
def test_a_file_may_have_any_name(name: str, register: Callable[..., Person]) -> None:
    assert send(register("ann"), picture(), name=name).status_code == 202


@databases
def test_a_malicious_file_leaves_nothing_behind(
    register: Callable[..., Person], upload: Callable[..., dict[str, Any]], store: Store
) -> None:
    media = upload(register("ann"), huge_png(50_000, 50_000))
    assert (media["status"], media["url"]) == ("failed", None)
    assert (media["error_code"], media["error"]) == ("too_many_pixels", "The picture has too many pixels.")
    assert StoredFile.objects.count() == 0
    assert store.names() == []


def converted(content: bytes, folder: Path) -> tuple[ConvertedMedia, dict[str, bytes]]:
    source = folder / "source"
    source.write_bytes(content)
    file_format = detect(content[:HEAD_BYTES])
    assert file_format is not None
    result = convert(source, file_format=file_format, target=folder, heartbeat=lambda: None)
    return result, {name: (folder / file.path).read_bytes() for name, file in result.files.items()}


def test_metadata_and_data_after_the_picture_are_removed(tmp_path: Path) -> None:
    image = Image.new("RGB", (120, 80), "teal")
    exif = image.getexif()
    exif[0x010E] = "a secret description"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, comment=b"a secret comment")
    _, files = converted(file.getvalue() + b"<script>secret()</script>", tmp_path)
    for content in files.values():
        assert b"secret" not in content
        with Image.open(io.BytesIO(content)) as made:
            assert not made.getexif()
            assert "icc_profile" not in made.info


def test_text_in_a_png_is_removed(tmp_path: Path) -> None:
    text = PngInfo()
    text.add_text("Location", "secret")
    _, files = converted(picture(pnginfo=text), tmp_path)
    assert b"secret" not in b"".join(files.values())


def test_a_picture_is_rotated_upright(tmp_path: Path) -> None:
    image = Image.new("RGB", (100, 40), "red")
    image.paste("blue", (0, 0, 50, 40))
    exif = image.getexif()
    exif[0x0112] = 6  # to be rotated clockwise
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif)
    result, files = converted(file.getvalue(), tmp_path)
    assert (result.width, result.height) == (40, 100)
    with Image.open(io.BytesIO(files["large"])) as made:
        pixel: Any = made.convert("RGB").getpixel((20, 10))
        red, _, blue = pixel
        assert (red < 50, blue > 200) == (True, True)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_every_pixel_format_is_converted(mode: str, tmp_path: Path) -> None:
    image = (
        Image.new("RGB", (2500, 300), "teal").convert(mode) if mode != "I;16" else Image.new(mode, (2500, 300), 9999)
    )
    file = io.BytesIO()
    image.save(file, "JPEG" if mode == "CMYK" else "PNG")
    result, files = converted(file.getvalue(), tmp_path)
    assert (result.width, result.height) == (1920, 230)
    assert set(files) == {"large", "medium", "small"}


def test_pictures_with_16_bits_per_channel_keep_their_brightness(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("I;16", (64, 48), 40_000).save(file, "PNG")
    _, files = converted(file.getvalue(), tmp_path)
    with Image.open(io.BytesIO(files["large"])) as made:
        assert made.convert("L").getpixel((5, 5)) == pytest.approx(40_000 / 256, abs=2)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF"])
def test_all_picture_formats_are_accepted(file_format: str, tmp_path: Path) -> None:
    if file_format == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    result, _ = converted(picture((1000, 500), file_format), tmp_path)
    assert (result.kind, result.width, result.height) == ("image", 1000, 500)
    assert {name: (file.width, file.height) for name, file in result.files.items()} == {
        "large": (1000, 500),
        "medium": (960, 480),
        "small": (400, 200),
    }
    assert len(result.blurhash) == 28


def test_similar_pictures_have_similar_hashes(tmp_path: Path) -> None:
    noise = Image.effect_noise((64, 48), 80).resize((1200, 900)).convert("RGB")
    other = Image.effect_noise((64, 48), 80).resize((1200, 900)).convert("RGB")
    hashes = []
    for number, image in enumerate((noise, noise.resize((500, 375)), other)):
        folder = tmp_path / str(number)
        folder.mkdir()
        file = io.BytesIO()
        image.save(file, "JPEG", quality=70)
        hashes.append(converted(file.getvalue(), folder)[0].perceptual_hash)
    assert distance(first=hashes[0], second=hashes[1]) <= 31 < distance(first=hashes[0], second=hashes[2])


@pytest.mark.parametrize(
    ("size", "by_reference"),  # by version 0.2.8 of the Python binding of Meta's implementation
    [
        ((640, 480), "8cf180ec73e1e356c7a30fcc3e0bf812e0e687e9cf1c31399ce4c621339ca8de"),
        ((1500, 700), "8ce300ec73e1e756c7830fcc3e0bf832e0e687e98f1c31399ce4c621339ca9de"),
        ((100, 130), "c27987e413b9af565fa9cccc1a39381ef466c1ed07d439398c6647a1338ca85e"),
    ],
)
def test_hashes_match_the_reference_implementation_of_pdq(size: tuple[int, int], by_reference: str) -> None:
    width, height = size
    image = Image.radial_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.ellipse((width // 8, height // 6, width // 2, height // 2), fill="#c03020")
    draw.rectangle((width // 2, height // 2, width - width // 10, height - height // 8), fill="#2050c0")
    draw.polygon([(width // 3, height // 3), (width // 2, height - 9), (9, height - height // 5)], fill="#f0d060")
    assert distance(first=perceptual_hash(image), second=by_reference) <= 20


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """Makes a two-second video with sound, in any accepted format."""
    folder = tmp_path_factory.mktemp("clips")
    codecs = {"webm": ("libvpx", "libopus"), "mp4": ("libx264", "aac"), "mov": ("libx264", "aac")}

    def make(kind: str) -> bytes:
        path = folder / f"clip.{kind}"
        video, audio = codecs[kind]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", "-f", "lavfi"]
        command += ["-i", "testsrc=s=320x180:d=2:r=15", "-f", "lavfi", "-i", "sine=d=2", "-metadata", "title=secret"]
        subprocess.run([*command, "-c:v", video, "-c:a", audio, "-pix_fmt", "yuv420p", str(path)], check=True)
        return path.read_bytes()

    return make


@pytest.mark.parametrize("kind", ["mp4", "mov", "webm"])
def test_videos_are_converted_to_streamable_mp4(kind: str, clip: Callable[[str], bytes], tmp_path: Path) -> None:
    result, files = converted(clip(kind), tmp_path)
    assert (result.kind, result.width, result.height) == ("video", 320, 180)
    assert 1900 <= (result.duration_ms or 0) <= 2200
    assert set(files) == {"video", "large", "medium", "small"}
    assert files["video"].index(b"moov") < files["video"].index(b"mdat")
    assert b"secret" not in files["video"]


def made_by_ffmpeg(path: Path, *arguments: str) -> bytes:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *arguments, str(path)]
    subprocess.run(command, check=True)
    return path.read_bytes()


def test_videos_are_scaled_to_square_pixels(tmp_path: Path) -> None:
    video = ("-f", "lavfi", "-i", "testsrc=s=320x240:d=0.2:r=10", "-vf", "setsar=2", "-c:v", "libx264")
    result, _ = converted(made_by_ffmpeg(tmp_path / "wide.mp4", *video), tmp_path)
    assert (result.width, result.height) == (640, 240)


@pytest.mark.parametrize(
    ("size", "scaled"),
    [
        ((3840, 2160), (1920, 1080)),
        ((2160, 3840), (1080, 1920)),
        ((3000, 2000), (1620, 1080)),
        ((161, 121), (160, 120)),
        ((4000, 2), (1920, 2)),
        ((2, 4000), (2, 1920)),
    ],
)
def test_videos_are_reduced_to_1080p_with_even_edges(
    tmp_path: Path, size: tuple[int, int], scaled: tuple[int, int]
) -> None:
    video = ("-f", "lavfi", "-i", f"color=s={size[0]}x{size[1]}:d=0.2:r=10", "-c:v", "libvpx", "-deadline", "realtime")
    result, _ = converted(made_by_ffmpeg(tmp_path / "large.webm", *video), tmp_path)
    assert (result.width, result.height) == scaled


def test_a_reencoded_video_is_recognized(tmp_path: Path) -> None:
    """Compared by poster, so that a refused video is refused in other sizes and formats too."""
    moving = ("-f", "lavfi", "-i", "mandelbrot=s=640x360:r=15", "-t", "1", "-pix_fmt", "yuv420p")
    other = ("-f", "lavfi", "-i", "testsrc2=s=640x360:r=15:d=1", "-pix_fmt", "yuv420p")
    first = made_by_ffmpeg(tmp_path / "first.mp4", *moving)
    again = ("-i", str(tmp_path / "first.mp4"), "-vf", "scale=320:180", "-c:v", "libvpx", "-b:v", "300k")
    clips = (first, made_by_ffmpeg(tmp_path / "again.webm", *again), made_by_ffmpeg(tmp_path / "other.mp4", *other))
    hashes = [converted(clip, tmp_path)[0].perceptual_hash for clip in clips]
    assert looks_the_same(first=hashes[0], second=hashes[1])
    assert not looks_the_same(first=hashes[0], second=hashes[2])


def test_an_audio_file_with_cover_art_is_not_a_video(tmp_path: Path) -> None:
    (tmp_path / "cover.jpg").write_bytes(picture((300, 300), "JPEG"))
    song = ("-f", "lavfi", "-i", "sine=d=0.2", "-i", str(tmp_path / "cover.jpg"), "-map", "0", "-map", "1")
    options = ("-c:a", "aac", "-c:v", "mjpeg", "-disposition:v:0", "attached_pic")
    with pytest.raises(ConversionError) as failed:
        converted(made_by_ffmpeg(tmp_path / "song.mp4", *song, *options), tmp_path)
    assert failed.value.code == "no_video"


@pytest.mark.parametrize(("size", "scaled"), [((1, 1), (2, 2)), ((600, 1), (600, 2)), ((1, 600), (2, 600))])
def test_an_animated_line_is_converted(tmp_path: Path, size: tuple[int, int], scaled: tuple[int, int]) -> None:
    """Such as a divider between paragraphs."""
    result, _ = converted(animation(5, size), tmp_path)
    assert (result.kind, result.width, result.height) == ("gifv", *scaled)


def test_an_animated_gif_is_converted_to_a_video_without_sound(tmp_path: Path) -> None:
    result, files = converted(animation(20), tmp_path)
    assert (result.kind, result.width, result.height) == ("gifv", 64, 48)
    assert files["video"][4:8] == b"ftyp"
    assert b"mp4a" not in files["video"]
