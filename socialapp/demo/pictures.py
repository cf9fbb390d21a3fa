"""Draws faces, landscapes and a short film; the same seed draws the same picture."""

import io
import math
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import imageio_ffmpeg
from PIL import Image, ImageDraw

Color = tuple[int, int, int]

_FACE = 320
_LANDSCAPE = (1200, 800)
_FILM = (640, 360)
_FRAMES, _FRAMES_PER_SECOND = 75, 25
_SKIN: tuple[Color, ...] = ((255, 224, 196), (241, 194, 155), (214, 162, 118), (166, 114, 76), (110, 70, 46))
_HAIR: tuple[Color, ...] = ((32, 26, 24), (92, 58, 34), (160, 108, 56), (212, 176, 104), (150, 60, 34), (176, 176, 180))
_WALL: tuple[Color, ...] = ((138, 180, 248), (249, 199, 127), (160, 214, 180), (222, 166, 200), (190, 190, 240))


class Mood(NamedTuple):
    """The colors of a landscape: its sky from top to bottom, its sun, and its hills from far to near."""

    name: str
    top: Color
    bottom: Color
    sun: Color
    far: Color
    near: Color


_MOODS = (
    Mood("at dawn", (60, 70, 140), (255, 190, 150), (255, 240, 200), (140, 120, 170), (50, 45, 80)),
    Mood("at noon", (70, 150, 230), (200, 230, 250), (255, 250, 220), (130, 180, 170), (40, 100, 60)),
    Mood("at dusk", (40, 20, 70), (240, 110, 70), (255, 210, 120), (120, 60, 90), (30, 15, 40)),
    Mood("by night", (8, 10, 30), (40, 50, 90), (235, 235, 225), (36, 44, 80), (8, 10, 22)),
)


class Drawing(NamedTuple):
    """A file, and a description of what it shows."""

    content: bytes
    description: str


def face(seed: str) -> bytes:
    """A face as a PNG."""
    chance = random.Random(seed)  # noqa: S311
    skin, hair, wall = chance.choice(_SKIN), chance.choice(_HAIR), chance.choice(_WALL)
    image = Image.new("RGB", (_FACE, _FACE), wall)
    draw = ImageDraw.Draw(image)
    width, height = chance.randint(62, 78), chance.randint(84, 98)
    x, y = _FACE // 2, _FACE // 2 + 8
    coat = chance.choice(_WALL)
    draw.ellipse((x - 130, y + 90, x + 130, y + 330), fill=_mixed(coat, (0, 0, 0), 0.45))
    if chance.random() < 0.5:  # long hair
        draw.rounded_rectangle((x - width - 16, y - 60, x + width + 16, y + 110), 40, fill=hair)
    draw.rectangle((x - 26, y + 60, x + 26, y + 116), fill=_mixed(skin, (0, 0, 0), 0.12))
    draw.ellipse((x - width, y - height, x + width, y + height), fill=skin)
    draw.chord((x - width - 8, y - height - 14, x + width + 8, y + height - 40), 190, 350, fill=hair)
    for side in (-1, 1):
        eye = x + side * 30
        draw.ellipse((eye - 11, y - 16, eye + 11, y + 2), fill=(255, 255, 255))
        draw.ellipse((eye - 6, y - 14, eye + 6, y), fill=(50, 40, 40))
        draw.line((eye - 14, y - 30, eye + 14, y - 30 - side * chance.randint(-4, 4)), fill=hair, width=5)
    draw.line((x, y, x - 6, y + 26, x + 4, y + 28), fill=_mixed(skin, (0, 0, 0), 0.3), width=4)
    smile = chance.randint(8, 26)
    draw.arc((x - 30, y + 48 - smile, x + 30, y + 48 + smile), 20, 160, fill=(150, 50, 50), width=5)
    if chance.random() < 0.25:  # a beard
        draw.chord((x - width, y - height + 40, x + width, y + height + 8), 35, 145, fill=hair)
    return _png(image)


def landscape(seed: int) -> Drawing:
    """Hills under a sun or moon, as a JPEG."""
    chance = random.Random(seed)  # noqa: S311
    mood = _MOODS[seed % len(_MOODS)]
    hills = chance.randint(3, 6)
    image = _sky(_LANDSCAPE, mood)
    draw = ImageDraw.Draw(image)
    width, height = _LANDSCAPE
    x, y, radius = chance.randint(200, width - 200), chance.randint(150, 330), chance.randint(40, 80)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=mood.sun)
    for hill in range(hills):
        share = hill / (hills - 1)
        base, swing = 400 + share * 300, 70 - 30 * share
        lengths = [chance.uniform(120, 420) for _ in range(3)]
        ridge = [
            (at, base + swing * sum(math.sin(at / length + hill) for length in lengths) / 3)
            for at in range(0, width + 12, 12)
        ]
        draw.polygon([*ridge, (width, height), (0, height)], fill=_mixed(mood.far, mood.near, share))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return Drawing(buffer.getvalue(), f"{hills} ridges of hills {mood.name}, drawn by a computer")


def film() -> Drawing:
    """Three seconds of a boat on waves, as an MP4."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        path = Path(folder) / "film.mp4"
        writer = imageio_ffmpeg.write_frames(  # type: ignore[no-untyped-call]
            str(path),
            _FILM,
            fps=_FRAMES_PER_SECOND,
            codec="libx264",
            macro_block_size=8,
            output_params=["-preset", "veryfast"],
        )
        writer.send(None)
        for frame in _frames():
            writer.send(frame.tobytes())
        writer.close()
        return Drawing(path.read_bytes(), "A small boat goes up and down on the waves at dusk")


def _frames() -> Iterator[Image.Image]:
    mood = _MOODS[2]
    width, height = _FILM
    sky = _sky(_FILM, mood)
    for number in range(_FRAMES):
        image = sky.copy()
        draw = ImageDraw.Draw(image)
        draw.ellipse((440, 70, 520, 150), fill=mood.sun)
        turn = 2 * math.pi * number / _FRAMES  # the end of the loop meets its beginning
        x, y = width // 2 - 60, 226 + 10 * math.sin(2 * turn)
        draw.polygon([(x - 60, y), (x + 60, y), (x + 40, y + 28), (x - 40, y + 28)], fill=(70, 40, 30))
        draw.polygon([(x, y - 110), (x, y - 6), (x + 56, y - 6)], fill=(245, 240, 230))
        for wave in range(3):
            sea = [
                (at, 240 + 36 * wave + 9 * math.sin(at / (40 + 12 * wave) + (wave + 1) * turn))
                for at in range(0, width + 8, 8)
            ]
            draw.polygon([*sea, (width, height), (0, height)], fill=_mixed((60, 70, 130), (14, 16, 50), wave / 2))
        yield image


def _sky(size: tuple[int, int], mood: Mood) -> Image.Image:
    column = Image.new("RGB", (1, 64))
    for row in range(64):
        column.putpixel((0, row), _mixed(mood.top, mood.bottom, row / 63))
    return column.resize(size, Image.Resampling.BICUBIC)


def _mixed(one: Color, other: Color, share: float) -> Color:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
