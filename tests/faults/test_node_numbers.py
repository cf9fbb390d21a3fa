"""Processes that all have the same node number would make the same ids: clients notice nothing."""

import time

from tests.faults.installation import Installation, Writers
from tests.faults.sizes import SETTLE_SECONDS, size
from tests.scenarios.product import eventually

WRITE_SECONDS = size(4, 30)


def test_all_processes_with_one_node_number(installation: Installation) -> None:
    eventually(installation.confirmed, seconds=SETTLE_SECONDS)
    installation.run_only()
    installation.start("relay", "worker", "beat", NODE_ID="7")
    installation.start("web", NODE_ID="7", WEB_WORKERS="2")
    people = [installation.join(f"writer{number}") for number in range(8)]
    for person in people[1:]:
        person.follow(people[0])
    eventually(installation.settled, seconds=SETTLE_SECONDS)
    writers = Writers(installation, people)
    with writers.writing():
        time.sleep(WRITE_SECONDS)
    assert writers.refused == [], "the second process draws other ids"
    installation.note("posts written by two processes with one node number", len(writers.posts))
    installation.assert_all_agree(writers.posts, people)
