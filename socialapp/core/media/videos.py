"""Converts videos and animated GIFs to MP4 that every browser plays. Runs in a child process: see `convert.py`.

ffmpeg gets a forced demuxer and may open local files only, so that a playlist disguised as a video fetches nothing.
"""

import errno
import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import imageio_ffmpeg
from PIL import Image

from socialapp.core.media.images import convert_pixels, frames_of, open_image
from socialapp.core.media.results import ConversionError, ConvertedFile, ConvertedMedia, digest_of
from socialapp.core.processes import end_with_parent

MAX_SECONDS = 600
_MAX_INPUT_PIXELS = 4096 * 4096
_LEAST_FREE = 2**20  # with less, what failed was writing: what ffmpeg prints could be forged by the file
_DEMUXERS = {"mp4": "mov", "mov": "mov", "webm": "matroska", "gif": "gif"}
_SAFE = (
    "-hide_banner",
    "-nostdin",
    "-y",
    "-protocol_whitelist",
    "file,pipe",
    "-max_alloc",
    "268435456",
    "-threads",
    "2",
)
# At most 1080p, in any orientation, with square pixels and even edges as H.264 requires; a line of pixels becomes two.
_REDUCTION = "min(1,min(1920/max(iw,ih),1080/min(iw,ih)))"
_SCALE = (
    "scale=w='clip(iw*sar,2,8192)':h=ih,"
    f"scale=w='max(2,2*trunc({_REDUCTION}*iw/2+0.25))':h='max(2,2*trunc({_REDUCTION}*ih/2+0.25))',"
    "setsar=1,format=yuv420p"
)
_DURATION = re.compile(r"Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)")
# Cover art, as in music files, is not a video.
_VIDEO = re.compile(r"Stream #0:\d+.*?: Video: (?!.*\(attached pic\)).*?\b([1-9]\d{0,4})x([1-9]\d{0,4})\b")


@dataclass(frozen=True, slots=True)
class Probe:
    """ffmpeg's description of a file. `seconds` is None if the file does not state it."""

    width: int
    height: int
    seconds: float | None


def convert_video(source: Path, *, file_format: str, target: Path) -> ConvertedMedia:
    """Writes the MP4 and its poster in three sizes; ConversionError for bad files, OSError if the disk is full."""
    probe = _probe(source, _DEMUXERS[file_format])
    if probe.seconds is not None and probe.seconds > MAX_SECONDS:
        raise ConversionError("too_long")
    # One second more than allowed: the result shows whether a file of unstated length is too long.
    return _convert(source, file_format, target, "video", ["-t", str(MAX_SECONDS + 1)])


def convert_gif(source: Path, *, target: Path) -> ConvertedMedia | None:
    """Like `convert_video`, for a GIF with several frames; None if it has only one."""
    with open_image(source, file_format="gif") as image:
        if frames_of(image) == 1:
            return None
    return _convert(source, "gif", target, "gifv", ["-an", "-t", str(MAX_SECONDS)])


def _convert(source: Path, file_format: str, target: Path, kind: str, options: list[str]) -> ConvertedMedia:
    video = target / "video.mp4"
    _ffmpeg(
        *("-f", _DEMUXERS[file_format], "-i", str(source)),
        *("-map", "0:V:0", "-map", "0:a:0?", "-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn", *options),
        *("-vf", _SCALE, "-fpsmax", "60", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-profile:v", "high"),
        *("-maxrate", "8M", "-bufsize", "16M", "-c:a", "aac", "-b:a", "128k", "-ac", "2"),
        *("-movflags", "+faststart", "-f", "mp4", str(video)),
    )
    made = _probe(video, "mov")
    if made.seconds is not None and made.seconds > MAX_SECONDS:
        raise ConversionError("too_long")
    poster = target / "poster.png"
    _ffmpeg(
        *("-f", "mov", "-i", str(video), "-frames:v", "1", "-vf", "thumbnail=30", "-update", "1"),
        *("-f", "image2", "-c:v", "png", str(poster)),
    )
    with Image.open(poster, formats=["PNG"]) as image:
        preview = convert_pixels(image, target=target)
    poster.unlink()
    played = ConvertedFile(
        path=video.name,
        content_type="video/mp4",
        digest=digest_of(video),
        size=video.stat().st_size,
        width=made.width,
        height=made.height,
    )
    return replace(
        preview,
        kind=kind,
        width=made.width,
        height=made.height,
        files={"video": played, **preview.files},
        duration_ms=round((made.seconds or 0) * 1000),
    )


def _probe(path: Path, demuxer: str) -> Probe:
    report = _run("-f", demuxer, "-i", str(path)).stderr.decode(errors="replace")
    found = _VIDEO.search(report)
    if found is None:
        raise ConversionError("no_video")
    width, height = int(found[1]), int(found[2])
    if width * height > _MAX_INPUT_PIXELS:
        raise ConversionError("too_many_pixels")
    duration = _DURATION.search(report)
    seconds = int(duration[1]) * 3600 + int(duration[2]) * 60 + float(duration[3]) if duration else None
    return Probe(width, height, seconds)


def _ffmpeg(*arguments: str) -> None:
    """Runs ffmpeg; the last argument is the file it writes."""
    if _run(*arguments).returncode != 0:
        if shutil.disk_usage(Path(arguments[-1]).parent).free < _LEAST_FREE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise ConversionError("damaged")


def _run(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    program: str = imageio_ffmpeg.get_ffmpeg_exe()  # type: ignore[no-untyped-call]
    command = [program, "-loglevel", "info", *_SAFE, *arguments]
    end = partial(end_with_parent, signal.SIGKILL)  # or it would outlive a conversion that ends with its worker
    return subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL, preexec_fn=end)  # noqa: S603
