"""Argon2 in memory that is kept from one hash to the next, but not longer than ten seconds.

New pages for each hash would take half as long again as the hash. With Argon2's own malloc, glibc would keep 19 MiB for
every thread that ever hashed, and let all other threads keep as much of what they freed.
"""

import mmap
import threading
from typing import Any

from argon2 import Parameters
from argon2.exceptions import HashingError
from argon2.low_level import core, error_to_str, ffi

KEPT_SECONDS = 10.0
_OWN_PAGES = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS  # by default, a forked process would hash in the same pages

_kept: list[Any] = []
_in_use: dict[int, Any] = {}
_freeing = threading.Timer(0, _kept.clear)


def argon2_digest(password: bytes, *, salt: bytes, parameters: Parameters) -> bytes:
    """The hash itself, without salt and parameters."""
    out = ffi.new("uint8_t[]", parameters.hash_len)
    password_bytes, salt_bytes = ffi.from_buffer("uint8_t[]", password), ffi.from_buffer("uint8_t[]", salt)
    context = {
        "out": out,
        "outlen": len(out),
        "pwd": password_bytes,
        "pwdlen": len(password),
        "salt": salt_bytes,
        "saltlen": len(salt),
        "t_cost": parameters.time_cost,
        "m_cost": parameters.memory_cost,
        "lanes": parameters.parallelism,
        "threads": parameters.parallelism,
        "version": parameters.version,
        "allocate_cbk": _allocate,
        "free_cbk": _keep,
    }
    code = core(ffi.new("argon2_context *", context), parameters.type.value)
    _free_later()
    if code:
        raise HashingError(error_to_str(code))
    return bytes(ffi.buffer(out))


@ffi.callback("allocate_fptr")  # type: ignore[untyped-decorator]
def _allocate(memory: Any, size: int) -> int:
    try:
        pages = _kept.pop()
    except IndexError:
        pages = b""
    if len(pages) < size:
        pages = ffi.from_buffer("uint8_t[]", mmap.mmap(-1, size, flags=_OWN_PAGES))
    memory[0] = pages
    _in_use[int(ffi.cast("uintptr_t", pages))] = pages
    return 0


@ffi.callback("deallocate_fptr")  # type: ignore[untyped-decorator]
def _keep(memory: Any, _size: int) -> None:
    _kept.append(_in_use.pop(int(ffi.cast("uintptr_t", memory))))


def _free_later() -> None:
    global _freeing
    if not _freeing.is_alive():
        _freeing = threading.Timer(KEPT_SECONDS, _kept.clear)
        _freeing.daemon = True
        _freeing.start()
