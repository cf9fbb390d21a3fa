"""The clocks of running processes are set back and forward: no duplicate ids, and nothing waits for the old time."""

import struct
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.installation import Installation, Writers
from tests.faults.servers import SCRIPTS
from tests.faults.sizes import SETTLE_SECONDS, size
from tests.scenarios.product import Member, eventually

POSTS = size(9, 60)  # posts at each clock setting
HOUR = 3600


class Clock:
    """The clock of processes started with its `variables`: it can be set off by seconds, with immediate effect."""

    def __init__(self, library: Path) -> None:
        self._file = library.with_suffix(".offset")
        self._file.write_bytes(bytes(8))
        self.variables = {"LD_PRELOAD": str(library), "CLOCK_FILE": str(self._file)}

    def set(self, seconds: float) -> None:
        """Sets it to this many seconds after the true time."""
        with self._file.open("r+b", buffering=0) as file:
            file.write(struct.pack("q", int(seconds * 1e9)))


@pytest.fixture(scope="module")
def library(folder: Path) -> Path:
    made = folder / "clock.so"
    compiling = '. "$0/lib.sh"; have cc || need_apt gcc libc6-dev; cc -shared -fPIC -O2 -o "$1" "$2"'
    command = ["bash", "-c", compiling, str(SCRIPTS), str(made), str(Path(__file__).with_name("clock.c"))]
    compiled = subprocess.run(command, capture_output=True, text=True, check=False)
    if not made.exists():
        pytest.skip(f"the clock of a process cannot be changed here: {compiled.stderr[-300:]}")
    return made


@pytest.fixture
def clock(library: Path) -> Clock:
    return Clock(library)


@pytest.fixture
def people(installation: Installation, clock: Clock) -> list[Member]:
    """Users who follow each other, in an installation where every role uses this clock."""
    eventually(installation.confirmed, seconds=SETTLE_SECONDS)
    installation.run_only()
    installation.start("relay", "worker", "beat", **clock.variables)
    installation.start("web", NODE_ID="7", **clock.variables)
    people = [installation.join(name) for name in ("ada", "bob", "eve")]
    for person in people[1:]:
        person.follow(people[0])
    eventually(installation.settled, seconds=SETTLE_SECONDS)
    return people


def _wait_for_posts(writers: Writers) -> None:
    """Waits until some posts begun after this call were answered."""
    begun = len(writers.posts)
    eventually(lambda: sum(bool(post.answer) for post in writers.posts[begun:]) >= POSTS, seconds=SETTLE_SECONDS)


def test_clocks_set_back_and_forward_under_writers(
    installation: Installation, clock: Clock, people: list[Member]
) -> None:
    writers = Writers(installation, people, pause=0.05)
    with writers.writing():
        _wait_for_posts(writers)
        for seconds in (-5, -300, -HOUR):
            stranger = installation.join("ida")  # their token appears to have been issued in the future
            clock.set(seconds)
            assert stranger.get("/v1/feed").status_code == 200
            _wait_for_posts(writers)
        clock.set(0)
        _wait_for_posts(writers)
    assert writers.refused == [], "no change of the clock makes a request fail"
    for author in people:
        ids = [int(post.answer["id"]) for post in writers.posts if post.answer and post.author is author]
        assert ids == sorted(set(ids)), "ids of one process ascend, whatever its clock does"
    installation.note(
        "posts written while the clock was set back by 5 s, 5 min and 1 h, and forward", len(writers.posts)
    )
    installation.assert_all_agree(writers.posts, people)


def test_claims_and_retries_due_before_the_clock_was_set_back_need_not_wait(
    installation: Installation, clock: Clock, people: list[Member]
) -> None:
    """Times stored shortly before the clock was set back: beat's next runs, a claim, a retry."""
    writers = Writers(installation, people, pause=0.05)
    with writers.writing():
        _wait_for_posts(writers)
        installation.kill("relay")
        _wait_for_posts(writers)
    installation.database.sql(
        "UPDATE faults_posts.bus_outbox SET claim = 42, claimed_until = UTC_TIMESTAMP() + INTERVAL 10 SECOND"
        " WHERE state = 0"
    )
    clock.set(-HOUR)
    installation.start("relay", **clock.variables)
    installation.within(
        60, installation.confirmed, "all confirmed after the clock was set back by 1 h and a relay had died"
    )
    clock.set(0)
    installation.assert_all_agree(writers.posts, people)


def test_a_restart_after_the_clock_was_set_back_makes_no_duplicate_ids(
    installation: Installation, clock: Clock, people: list[Member]
) -> None:
    """It was restarted with its node number after the clock was set back, and so would make the same ids again."""
    writers = Writers(installation, people)
    started = time.monotonic()
    with writers.writing():
        _wait_for_posts(writers)
    installation.kill("web")
    installation.start("web", NODE_ID="7", **clock.variables)
    clock.set(started - time.monotonic())
    with writers.writing():
        _wait_for_posts(writers)
    assert writers.refused == [], "an id that exists already is replaced by another"
    installation.assert_all_agree(writers.posts, people)
