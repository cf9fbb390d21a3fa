"""The web process is killed: acknowledged writes are stored, and a repeated request gets the same response."""

import contextlib
import random
import threading
import time

import httpx

from tests.faults.installation import Installation, Post, Writers
from tests.faults.proxy import proxy_to
from tests.faults.sizes import SETTLE_SECONDS


def test_web_killed_between_commit_and_response(installation: Installation) -> None:
    ada = installation.join("ada")
    post = Post(ada, "written once", "key-of-ada")
    answered = threading.Event()
    swallowed: list[bytes] = []

    def swallow(data: bytes) -> bool:
        swallowed.append(data)
        if b"".join(swallowed).endswith(b"0\r\n\r\n"):  # the last chunk: head and body may arrive one after the other
            answered.set()
        return False

    with proxy_to(installation.ports["web"]) as proxy:
        proxy.on_answer = swallow

        def ask() -> None:
            with contextlib.suppress(httpx.HTTPError), httpx.Client(timeout=SETTLE_SECONDS) as http:
                installation.send(post, http=http, url=f"http://127.0.0.1:{proxy.port}")

        client = threading.Thread(target=ask)
        client.start()
        assert answered.wait(SETTLE_SECONDS), "the product responded, but its client did not receive it"
        installation.kill("web")
        client.join()
    assert post.answer is None
    installation.start("web")
    for _ in range(2):
        again = installation.send(post)
        assert again.status_code == 201
        assert again.content in b"".join(swallowed), "the lost response"
    assert again.headers["Idempotency-Replayed"] == "true"
    installation.assert_all_agree([post], [ada])


def test_web_killed_repeatedly_under_load(installation: Installation) -> None:
    writers = Writers(installation, [installation.join(name) for name in ("ada", "bob", "eve", "ida")])
    moment = random.Random(1)
    with writers.writing():
        for _ in range(4):
            time.sleep(moment.uniform(0.3, 1.0))
            installation.kill("web")
            installation.start("web")
        time.sleep(0.5)
    for post in writers.posts[::5]:
        first = post.answer
        assert installation.send(post).status_code == 201
        assert post.answer == first, "the same idempotency key gives the same body"
    installation.note("posts written while the web process was killed four times", len(writers.posts))
    installation.assert_all_agree(writers.posts, writers.authors)
