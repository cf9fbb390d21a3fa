"""Converts an upload in a child process with limits of its own, so that no file can harm the calling process.

The child has no secrets in its environment, no network where the system allows it, and bounded memory, CPU time and
file sizes. `python -m socialapp.core.media.convert FORMAT SOURCE TARGET` is the child.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from socialapp.core.errors import store_unavailable
from socialapp.core.media.results import DISK_FULL, ConversionError, ConvertedFile, ConvertedMedia
from socialapp.core.processes import end_with_parent

_LONGEST_IMAGE = 60  # seconds of CPU
_LONGEST_VIDEO = 1800
_MEMORY_IMAGE = 1 * 2**30  # of addresses; what is resident is far less
_MEMORY_VIDEO = 3 * 2**30
_LARGEST_FILE = 2**30
_HEARTBEAT_SECONDS = 5
_VIDEOS = ("mp4", "mov", "webm", "gif")
_NO_ROOM = "no_room"
_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000


def convert(source: Path, *, file_format: str, target: Path, heartbeat: Callable[[], None]) -> ConvertedMedia:
    """Converts `source` into files in the folder `target`; calls `heartbeat` every few seconds while it works.

    ConversionError for a bad file, Unavailable if the disk is full. An exception from `heartbeat` ends the child.
    """
    command = [sys.executable, "-m", __name__, file_format, str(source), str(target)]
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": str(target)}
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(  # noqa: S603
        command,
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as child:
        try:
            output = _wait(child, heartbeat)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            raise
    return _result(child.returncode, output)


def _wait(child: "subprocess.Popen[bytes]", heartbeat: Callable[[], None]) -> bytes:
    while True:
        try:
            output, _ = child.communicate(timeout=_HEARTBEAT_SECONDS)
        except subprocess.TimeoutExpired:
            heartbeat()
        else:
            return output


def _result(code: int, output: bytes) -> ConvertedMedia:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise ConversionError("too_slow")
    try:
        answer = json.loads(output)
    except ValueError:
        raise ConversionError("damaged") from None  # the decoder crashed, or ran out of memory
    if answer.get("error") == _NO_ROOM:
        raise store_unavailable()
    if "error" in answer:
        raise ConversionError(answer["error"])
    files = {name: ConvertedFile(**file) for name, file in answer.pop("files").items()}
    return ConvertedMedia(files=files, **answer)


def main(file_format: str, source: str, target: str) -> None:
    """The child's main function: prints its result, or the code of its error, as JSON."""
    _confine(is_video=file_format in _VIDEOS)
    try:
        result = asdict(_convert(file_format, Path(source), Path(target)))
    except ConversionError as error:
        result = {"error": error.code}
    except OSError as error:
        result = {"error": _NO_ROOM if error.errno in DISK_FULL else "damaged"}
    except MemoryError:
        result = {"error": "damaged"}
    sys.stdout.write(json.dumps(result))


def _convert(file_format: str, source: Path, target: Path) -> ConvertedMedia:
    from socialapp.core.media.images import convert_image

    if file_format in _VIDEOS:
        from socialapp.core.media.videos import convert_gif, convert_video

        if file_format != "gif":
            return convert_video(source, file_format=file_format, target=target)
        if (animation := convert_gif(source, target=target)) is not None:
            return animation
    return convert_image(source, file_format=file_format, target=target)


def _confine(*, is_video: bool) -> None:
    """Limits this process and its children. Network access is removed where user namespaces are allowed."""
    end_with_parent(signal.SIGKILL)
    ctypes.CDLL(None).unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    memory = _MEMORY_VIDEO if is_video else _MEMORY_IMAGE
    seconds = _LONGEST_VIDEO if is_video else _LONGEST_IMAGE
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)


if __name__ == "__main__":
    main(*sys.argv[1:])
