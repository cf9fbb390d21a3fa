"""A store that is full: uploads are refused with a reason, and nothing is written."""

import errno
from collections.abc import Callable
from typing import Any

import pytest

from apps.posts.models import Media
from tests.conftest import ALL_CONTEXTS, Person
from tests.media.conftest import picture, send
from tests.media.stores import Store

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_a_full_store_writes_nothing(
    register: Callable[..., Person], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = register("ann")

    def be_full(source: Any, target: Any, length: int = 0) -> None:
        target.write(source.read(100))
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("socialapp.core.media.stores.shutil.copyfileobj", be_full)
        answer = send(ann, picture())
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert (Media.objects.count(), store.names()) == (0, [])
