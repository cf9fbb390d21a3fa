"""`manage.py verify --repair` under writers: pending work is not reported as drift, and repairs do no harm."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.installation import Installation, Writers, as_json
from tests.faults.sizes import size
from tests.scenarios.product import Member

ROUNDS = size(2, 10)
PAUSE = size(0.25, 0.05)  # of each writer: all that they write must be processed before the end
LOVE = {"reaction_type": "love"}


@contextmanager
def changing_their_minds(reader: Member, author: Member, post: str) -> Iterator[list[int]]:
    """Follows and reacts, and undoes it, again and again; in the end both remain."""
    ending = threading.Event()
    answers: list[int] = []

    def change() -> None:
        while not ending.wait(0.3):
            for path, body in ((f"/v1/profiles/{author.id}/follow", None), (f"/v1/posts/{post}/reaction", LOVE)):
                answers.append(reader.delete(path).status_code)
                answers.append(reader.put(path, body).status_code)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield answers
    finally:
        ending.set()
        thread.join(60)


def test_verify_under_writers_reports_no_drift_and_repairs_do_no_harm(installation: Installation) -> None:
    authors = [installation.join(name) for name in ("ada", "ben", "cid")]
    quiet, reader = installation.join("dan"), installation.join("eva")
    assert reader.follow(quiet)["following"]
    for author in authors:
        assert reader.follow(author)["following"]
    posts = installation.write(authors, len(authors))
    assert posts[0].answer
    liked = str(posts[0].answer["id"])
    assert reader.put(f"/v1/posts/{liked}/reaction", LOVE).status_code == 200
    writers = Writers(installation, authors, pause=PAUSE)
    with writers.writing(), changing_their_minds(reader, quiet, liked) as answers:
        found = [as_json(installation.manage("verify", "--repair", "--json").stdout)["contexts"] for _ in range(ROUNDS)]
    drifts = [drift for contexts in found for report in contexts for drift in report["drifts"]]
    assert drifts == [], "all differences were only pending events"
    assert sum(report["compared"] for contexts in found for report in contexts) > 0
    assert set(answers) <= {200, 204}
    installation.note("posts written meanwhile", len(writers.posts))
    installation.assert_all_agree([*posts, *writers.posts])
    body = reader.get(f"/v1/posts/{liked}").json()
    assert (body["reactions"]["love"], body["my_reaction"]) == (1, "love")
    assert reader.get(f"/v1/profiles/{quiet.id}").json()["followers_count"] == 1
