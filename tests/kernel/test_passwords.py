"""Password hashing runs on threads of lower priority, in forked processes too."""

import os
import sys
import threading

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from socialapp.core.passwords import OwaspArgon2PasswordHasher

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")


def test_hashing_runs_at_a_lower_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    of_django = {"encode": Argon2PasswordHasher.encode, "verify": Argon2PasswordHasher.verify}

    def watched(name: str) -> object:
        def run(hasher: Argon2PasswordHasher, *args: str) -> object:
            threads.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return of_django[name](hasher, *args)

        return run

    for name in of_django:
        monkeypatch.setattr(Argon2PasswordHasher, name, watched(name))
    hasher = OwaspArgon2PasswordHasher()
    encoded = hasher.encode("correct horse", "saltsaltsalt")
    assert hasher.verify("correct horse", encoded) is True
    assert hasher.verify("wrong horse", encoded) is False
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert threads == [min(own + 10, 19)] * 3


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # since Python 3.12
def test_a_forked_process_hashes_on_its_own_threads() -> None:
    hasher = OwaspArgon2PasswordHasher()
    encoded = hasher.encode("correct horse", "saltsaltsalt")
    child = os.fork()
    if child == 0:
        os._exit(0 if hasher.verify("correct horse", encoded) else 1)
    assert os.waitpid(child, 0)[1] == 0
