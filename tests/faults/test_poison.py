"""An event that nobody can take rests by itself; one that commits late is not overlooked."""

import sqlite3
import threading
import time
from contextlib import closing

import httpx

from tests.faults.installation import ON_MARIADB, Installation, Post, as_json
from tests.faults.proxy import proxy_to
from tests.scenarios.product import eventually

HANDLER = "users.count_post"


def test_a_poison_event_rests_and_its_neighbours_arrive(town: Installation) -> None:
    ada = town.join("ada")
    eventually(town.confirmed, seconds=60)
    town.kill("relay")
    posts = [ada.write(f"post {number}")["id"] for number in range(9)]
    poisoned = posts[4]
    town.database.sql(
        "UPDATE faults_posts.bus_outbox SET envelope = REPLACE(envelope, %s, %s) WHERE subject = %s",
        '"is_private":false',
        '"is_private":"perhaps"',
        poisoned,
    )
    town.start("relay")
    eventually(lambda: town.posts_count(ada) == 8, seconds=30)
    [(event, failed_at)] = town.database.sql(
        "SELECT event_id, failed_at FROM faults_users.bus_failed_delivery WHERE handler = %s", HANDLER
    )
    handled = town.database.sql(
        "SELECT inbox.handled_at FROM faults_users.bus_inbox AS inbox JOIN faults_posts.bus_outbox AS outbox"
        f" ON outbox.id = inbox.event_id WHERE outbox.subject IN ({','.join(['%s'] * 9)}) AND handler = %s",
        *posts,
        HANDLER,
    )
    assert len(handled) == 8
    assert all((when - failed_at).total_seconds() < 1 for (when,) in handled), "it held its neighbours up"
    # The tries that are spread over an hour, at once:
    broken = "FROM faults_users.bus_failed_delivery WHERE event_id = %s"
    town.database.sql(
        "UPDATE faults_users.bus_failed_delivery SET attempts = 6, retry_at = NOW() WHERE event_id = %s", event
    )
    eventually(lambda: town.database.number(f"SELECT dead {broken}", event) == 1, seconds=60)
    letters = as_json(town.manage("bus", "dead", "--json", "--context", "users").stdout)
    assert [(letter["event"], letter["handler"], letter["attempts"]) for letter in letters] == [(event, HANDLER, 7)]
    for context in ON_MARIADB:
        town.database.sql(
            f"UPDATE faults_{context}.bus_failed_delivery SET envelope = REPLACE(envelope, %s, %s)",
            '"is_private":"perhaps"',
            '"is_private":false',
        )
    with closing(sqlite3.connect(f"{town.environment['DATA_DIR']}/db/search.sqlite3", timeout=20)) as search:
        repair = "UPDATE bus_failed_delivery SET envelope = REPLACE(envelope, ?, ?)"
        search.execute(repair, ('"is_private":"perhaps"', '"is_private":false'))
        search.commit()
    for _ in range(2):
        town.manage("bus", "replay", "--all")
        eventually(lambda: town.posts_count(ada) == 9, seconds=30)
    eventually(town.settled, seconds=60)
    time.sleep(1)
    assert town.posts_count(ada) == 9, "replayed twice, applied once"


def test_an_early_id_that_commits_late(town: Installation) -> None:
    ada, bob = town.join("ada"), town.join("bob")
    eventually(town.settled, seconds=30)
    held = threading.Event()
    release = threading.Event()

    def hold_the_first_insert(data: bytes) -> bool:
        if b"INSERT INTO `posts`" in data and not held.is_set():
            held.set()
            release.wait(20)
        return True

    early = Post(ada, "early id, late commit", "early")
    with proxy_to(town.database.port) as proxy:
        town.kill("web")
        town.start("web", POSTS_DATABASE_URL=town.database.url("posts", port=proxy.port))
        proxy.on_request = hold_the_first_insert
        with httpx.Client(timeout=30) as http:
            late = threading.Thread(target=lambda: town.send(early, http=http))
            late.start()
            assert held.wait(20)
            later = [bob.write(f"later {number}")["id"] for number in range(5)]
            eventually(lambda: town.posts_count(bob) == 5, seconds=30)
            assert early.answer is None
            release.set()
            late.join(30)
        assert early.answer is not None
        assert int(early.answer["id"]) < min(map(int, later))
        eventually(lambda: town.posts_count(ada) == 1, seconds=30)
