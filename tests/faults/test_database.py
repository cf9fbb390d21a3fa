"""MariaDB is killed under writers, again and again: what was acknowledged is there, and posts and events agree."""

import os
import time

from tests.faults.installation import Installation, Writers
from tests.scenarios.product import eventually

KILLS = int(os.environ.get("FAULTS_DATABASE_KILLS", "10"))


def test_killed_ten_times_under_eight_writers(town: Installation) -> None:
    writers = Writers(town, [town.join(f"writer{number}") for number in range(8)], pause=0.02)
    with writers.writing():
        for _ in range(KILLS):
            time.sleep(0.5)
            town.database.kill()
            town.database.start()
        time.sleep(0.5)
    assert len(writers.posts) > 8 * 2
    town.assert_each_written_once(writers.posts)
    unanswerable = set(writers.refused) - {503}
    assert not unanswerable, f"without its database the product says that it is away, not {unanswerable}"
    for author in writers.authors:
        mine = sum(post.author is author for post in writers.posts)
        eventually(lambda author=author, mine=mine: town.posts_count(author) == mine, seconds=60)
    eventually(town.confirmed, seconds=60)
    for author in writers.authors:
        assert town.posts_count(author) == sum(post.author is author for post in writers.posts)
