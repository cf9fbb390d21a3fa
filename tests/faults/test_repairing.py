"""`manage.py verify --repair` while people write: what is only under way is not taken for wrong, and nothing breaks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.installation import Installation, Writers, as_json
from tests.faults.sizes import size
from tests.scenarios.product import Member

ROUNDS = size(2, 10)
PAUSE = size(0.25, 0.05)  # of each writer: all that they write must have settled before the end
LOVE = {"reaction_type": "love"}


@contextmanager
def changing_their_minds(reader: Member, author: Member, post: str) -> Iterator[list[int]]:
    """Somebody follows and reacts and takes it back again, all the time; in the end both stand."""
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


def test_it_reports_no_drift_and_breaks_nothing(installation: Installation) -> None:
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
    assert drifts == [], "all of it was only under way"
    assert sum(report["compared"] for contexts in found for report in contexts) > 0
    assert set(answers) <= {200, 204}
    installation.note("posts written meanwhile", len(writers.posts))
    installation.assert_all_agree([*posts, *writers.posts])
    body = reader.get(f"/v1/posts/{liked}").json()
    assert (body["reactions"]["love"], body["my_reaction"]) == (1, "love")
    assert reader.get(f"/v1/profiles/{quiet.id}").json()["followers_count"] == 1
