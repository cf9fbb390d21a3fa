"""Password hashing runs on threads of lower priority, in forked processes too, and gives its memory back."""

import os
import subprocess
import sys
import threading

import pytest
from argon2 import Parameters
from argon2.low_level import Type
from django.contrib.auth.hashers import Argon2PasswordHasher

from socialapp.core.argon2id import argon2_digest
from socialapp.core.passwords import OwaspArgon2PasswordHasher
from socialapp.core.text.passwords import comparable
from tests.scenarios.product import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")


def test_hashing_runs_at_a_lower_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    def watched(password: bytes, *, salt: bytes, parameters: Parameters) -> bytes:
        threads.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return argon2_digest(password, salt=salt, parameters=parameters)

    monkeypatch.setattr("socialapp.core.passwords.argon2_digest", watched)
    hasher = OwaspArgon2PasswordHasher()
    encoded = hasher.encode("correct horse", "saltsaltsalt")
    assert hasher.verify("correct horse", encoded) is True
    assert hasher.verify("wrong horse", encoded) is False
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert threads == [min(own + 10, 19)] * 3


@pytest.mark.parametrize("password", ["", "correct horse", "Käthe Straße"])
def test_hashes_are_those_of_django(password: str) -> None:
    ours, of_django = OwaspArgon2PasswordHasher(), Argon2PasswordHasher()
    of_django.time_cost, of_django.memory_cost, of_django.parallelism = ours.time_cost, ours.memory_cost, 1
    encoded = ours.encode(password, "saltsaltsalt")
    assert encoded == of_django.encode(comparable(password), "saltsaltsalt")
    of_django.memory_cost, of_django.parallelism = 64, 2
    for other in (of_django.encode(password, "a salt of bytes"), encoded.replace("argon2id", "argon2i")):
        assert ours.verify(password, other) is of_django.verify(comparable(password), other)
        assert ours.verify(password + "!", other) is False


def test_a_hash_with_refused_parameters_does_not_match() -> None:
    assert OwaspArgon2PasswordHasher().verify("x", "argon2$argon2id$v=19$m=8,t=0,p=1$c2FsdHNhbHQ$aGFzaA") is False


_HASH = """
import psutil
from argon2 import Parameters
from argon2.low_level import Type
from socialapp.core import argon2id

used = Parameters(Type.ID, version=19, salt_len=12, hash_len=32, time_cost=1, memory_cost=19_456, parallelism=1)
argon2id.KEPT_SECONDS = 2
argon2id.argon2_digest(b"correct horse", salt=b"saltsaltsalt", parameters=used)
print(psutil.Process().memory_info().rss)
argon2id._freeing.join()
print(psutil.Process().memory_info().rss)
"""


def test_the_memory_of_hashing_is_kept_for_a_while_and_then_freed() -> None:
    ended = subprocess.run([sys.executable, "-c", _HASH], cwd=ROOT, capture_output=True, check=True)
    kept, freed = map(int, ended.stdout.split())
    assert kept - freed > 17 * 2**20


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # since Python 3.12
def test_a_forked_process_hashes_on_its_own_threads() -> None:
    hasher = OwaspArgon2PasswordHasher()
    encoded = hasher.encode("correct horse", "saltsaltsalt")
    child = os.fork()
    if child == 0:
        os._exit(0 if hasher.verify("correct horse", encoded) else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # since Python 3.12
def test_processes_that_hash_at_once_do_so_in_memory_of_their_own() -> None:
    used = Parameters(Type.ID, version=19, salt_len=12, hash_len=32, time_cost=2, memory_cost=19_456, parallelism=1)

    def digest(password: bytes) -> bytes:
        return argon2_digest(password, salt=b"saltsaltsalt", parameters=used)

    passwords = (b"correct horse", b"another horse")
    right = [digest(password) for password in passwords]  # their memory is kept

    def all_match(number: int) -> bool:
        return all(digest(passwords[number]) == right[number] for _ in range(20))

    child = os.fork()
    if child == 0:
        os._exit(0 if all_match(1) else 1)
    is_right = all_match(0)
    assert (is_right, os.waitpid(child, 0)[1]) == (True, 0)
