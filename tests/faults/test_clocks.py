"""Clocks of running processes are set back and forward: no id is made twice, and nothing waits for the old time."""

import struct
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.installation import Installation, Writers
from tests.faults.servers import SCRIPTS
from tests.faults.sizes import SETTLE_SECONDS, size
from tests.scenarios.product import Member, eventually

POSTS = size(9, 60)  # at each time
HOUR = 3600


class Clock:
    """What processes started with its `variables` take for the time: as many seconds off as it is set to, at once."""

    def __init__(self, library: Path) -> None:
        self._file = library.with_suffix(".offset")
        self._file.write_bytes(bytes(8))
        self.variables = {"LD_PRELOAD": str(library), "CLOCK_FILE": str(self._file)}

    def set(self, seconds: float) -> None:
        """Sets it to so many seconds after the true time."""
        with self._file.open("r+b", buffering=0) as file:
            file.write(struct.pack("q", int(seconds * 1e9)))


@pytest.fixture(scope="module")
def library(folder: Path) -> Path:
    made = folder / "clock.so"
    compiling = '. "$0/lib.sh"; have cc || need_apt gcc libc6-dev; cc -shared -fPIC -O2 -o "$1" "$2"'
    command = ["bash", "-c", compiling, str(SCRIPTS), str(made), str(Path(__file__).with_name("clock.c"))]
    compiled = subprocess.run(command, capture_output=True, text=True, check=False)
    if not made.exists():
        pytest.skip(f"the clock of a process cannot be set here: {compiled.stderr[-300:]}")
    return made


@pytest.fixture
def clock(library: Path) -> Clock:
    return Clock(library)


@pytest.fixture
def people(installation: Installation, clock: Clock) -> list[Member]:
    """Some who follow each other, in an installation whose every role goes by the clock."""
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
    """Until some that were begun from now on are answered."""
    begun = len(writers.posts)
    eventually(lambda: sum(bool(post.answer) for post in writers.posts[begun:]) >= POSTS, seconds=SETTLE_SECONDS)


def test_set_back_and_forward_while_people_write(
    installation: Installation, clock: Clock, people: list[Member]
) -> None:
    writers = Writers(installation, people, pause=0.05)
    with writers.writing():
        _wait_for_posts(writers)
        for seconds in (-5, -300, -HOUR):
            stranger = installation.join("ida")  # whose token is first seen when it seems to be of a time to come
            clock.set(seconds)
            assert stranger.get("/v1/feed").status_code == 200
            _wait_for_posts(writers)
        clock.set(0)
        _wait_for_posts(writers)
    assert writers.refused == [], "no clock makes a request fail"
    for author in people:
        ids = [int(post.answer["id"]) for post in writers.posts if post.answer and post.author is author]
        assert ids == sorted(set(ids)), "what one process makes rises, whatever its clock does"
    installation.note(
        "posts written while the clock was set back by 5 s, 5 min and 1 h, and forward", len(writers.posts)
    )
    installation.assert_all_agree(writers.posts, people)


def test_nothing_waits_for_the_time_to_return(installation: Installation, clock: Clock, people: list[Member]) -> None:
    """What was noted before the clock was set back, for some seconds later: beat's next runs, a claim, a retry."""
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


def test_a_process_lives_through_the_same_seconds_again(
    installation: Installation, clock: Clock, people: list[Member]
) -> None:
    """It was restarted with its node number after the clock was set back, and so makes the ids that it made."""
    writers = Writers(installation, people)
    started = time.monotonic()
    with writers.writing():
        _wait_for_posts(writers)
    installation.kill("web")
    installation.start("web", NODE_ID="7", **clock.variables)
    clock.set(started - time.monotonic())
    with writers.writing():
        _wait_for_posts(writers)
    assert writers.refused == [], "an id that is taken is made again"
    installation.assert_all_agree(writers.posts, people)
