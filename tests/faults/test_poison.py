"""An event that no handler can process becomes a dead letter alone; one that commits late is not overlooked."""

import threading
from contextlib import closing

import httpx

from tests.faults.installation import ON_MARIADB, Installation, Post, as_json
from tests.faults.proxy import proxy_to
from tests.faults.sizes import SETTLE_SECONDS
from tests.scenarios.product import eventually

HANDLER = "users.count_post"
POISON, CURE = '"is_private":"perhaps"', '"is_private":false'
LATE_SECONDS = 1


def test_a_poison_event_becomes_a_dead_letter_and_its_neighbors_are_delivered(installation: Installation) -> None:
    ada, bob = installation.join("ada"), installation.join("bob")
    bob.follow(ada)
    eventually(installation.confirmed, seconds=SETTLE_SECONDS)
    assert bob.feed_ids() == []
    installation.kill("relay")
    posts = installation.write([ada], 9)
    ids = [post.answer["id"] for post in posts if post.answer]
    installation.database.sql(
        "UPDATE faults_posts.bus_outbox SET envelope = REPLACE(envelope, %s, %s) WHERE subject = %s",
        CURE,
        POISON,
        ids[4],
    )
    installation.start("relay")
    eventually(lambda: installation.posts_count(ada) == 8, seconds=SETTLE_SECONDS)
    _assert_neighbors_were_in_time(installation, ids)
    event = _wait_for_dead_letter(installation)
    _cure_the_poison(installation)
    for _ in range(2):
        installation.manage("bus", "replay", "--all")
        eventually(lambda: installation.posts_count(ada) == 9, seconds=SETTLE_SECONDS)
        eventually(installation.settled, seconds=SETTLE_SECONDS)
    assert installation.database.number("SELECT COUNT(*) FROM faults_users.bus_inbox WHERE event_id = %s", event) == 1
    installation.assert_all_agree(posts, [ada, bob])


def _assert_neighbors_were_in_time(installation: Installation, ids: list[str]) -> None:
    [(failed_at,)] = installation.database.sql(
        "SELECT failed_at FROM faults_users.bus_failed_delivery WHERE handler = %s AND subject = %s", HANDLER, ids[4]
    )
    handled = installation.database.sql(
        "SELECT inbox.handled_at FROM faults_users.bus_inbox AS inbox JOIN faults_posts.bus_outbox AS outbox"
        f" ON outbox.id = inbox.event_id WHERE outbox.subject IN ({','.join(['%s'] * 9)}) AND handler = %s",
        *ids,
        HANDLER,
    )
    assert len(handled) == 8
    latest = max((when - failed_at).total_seconds() for (when,) in handled)
    installation.note(
        "neighbors of a poison event handled after its failure", f"{latest:.2f} s, promised {LATE_SECONDS} s"
    )
    assert latest < 4 * LATE_SECONDS, "the poison event delayed its neighbors"


def _wait_for_dead_letter(installation: Installation) -> int:
    """Makes retries that are spread over an hour run at once; returns the id of the event that becomes a dead
    letter.
    """
    waiting = "FROM faults_users.bus_failed_delivery WHERE handler = %s"
    [(event,)] = installation.database.sql(f"SELECT event_id {waiting}", HANDLER)
    installation.database.sql(
        "UPDATE faults_users.bus_failed_delivery SET attempts = 6, retry_at = NOW() WHERE event_id = %s", event
    )
    eventually(lambda: installation.database.number(f"SELECT dead {waiting}", HANDLER) == 1, seconds=SETTLE_SECONDS)
    letters = as_json(installation.manage("bus", "dead", "--json", "--context", "users").stdout)
    assert [(letter["event"], letter["handler"], letter["attempts"]) for letter in letters] == [(event, HANDLER, 7)]
    return int(event)


def _cure_the_poison(installation: Installation) -> None:
    """In every context where it is a dead letter."""
    for context in ON_MARIADB:
        installation.database.sql(
            f"UPDATE faults_{context}.bus_failed_delivery SET envelope = REPLACE(envelope, %s, %s)", POISON, CURE
        )
    with closing(installation.search_database()) as search:
        search.execute("UPDATE bus_failed_delivery SET envelope = REPLACE(envelope, ?, ?)", (POISON, CURE))
        search.commit()


def test_an_event_with_an_early_id_that_commits_late_is_sent(installation: Installation) -> None:
    ada, bob = installation.join("ada"), installation.join("bob")
    bob.follow(ada)
    eventually(installation.settled, seconds=SETTLE_SECONDS)
    assert bob.feed_ids() == []
    held = threading.Event()
    release = threading.Event()

    def hold_the_first_insert(data: bytes) -> bool:
        if b"INSERT INTO `posts`" in data and not held.is_set():
            held.set()
            release.wait(SETTLE_SECONDS)
        return True

    early = Post(ada, "early id, late commit", "early")
    later = [Post(bob, f"later {number}", f"later {number}") for number in range(5)]
    with proxy_to(installation.database.port) as proxy:
        installation.kill("web")
        installation.start("web", POSTS_DATABASE_URL=installation.database.url("posts", port=proxy.port))
        proxy.on_request = hold_the_first_insert
        with httpx.Client(timeout=2 * SETTLE_SECONDS) as http:
            late = threading.Thread(target=lambda: installation.send(early, http=http))
            late.start()
            try:
                assert held.wait(SETTLE_SECONDS)
                for post in later:
                    assert installation.send(post).status_code == 201
                eventually(lambda: installation.posts_count(bob) == 5, seconds=SETTLE_SECONDS)
                assert not early.answer
            finally:
                release.set()
                late.join()
        assert early.answer is not None
        ids = [int(post.answer["id"]) for post in later if post.answer]
        assert int(early.answer["id"]) < min(ids)
        eventually(lambda: installation.posts_count(ada) == 1, seconds=SETTLE_SECONDS)
        installation.kill("web")
    installation.start("web")
    installation.assert_all_agree([early, *later], [ada, bob])
