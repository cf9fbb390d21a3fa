"""MariaDB is killed repeatedly under writers: what was acknowledged is stored, and posts and events agree."""

import time

from tests.faults.installation import Installation, Writers
from tests.faults.sizes import size
from tests.scenarios.product import Member

KILLS = size(3, 10)


def test_database_killed_repeatedly_under_eight_writers(installation: Installation) -> None:
    writers = Writers(installation, [installation.join(f"writer{number}") for number in range(8)], pause=0.02)
    with writers.writing():
        for _ in range(KILLS):
            time.sleep(0.5)
            installation.database.kill()
            installation.database.start()
        time.sleep(0.5)
    assert len(writers.posts) > 8 * 2
    unanswerable = set(writers.refused) - {503}
    assert not unanswerable, f"without its database the product says that it is unavailable, not {unanswerable}"
    installation.within(
        30, lambda: all(_counted(writers, author) for author in writers.authors), "counted after the last kill"
    )
    installation.note(f"posts written while MariaDB was killed {KILLS} times", len(writers.posts))
    installation.assert_all_agree(writers.posts, writers.authors)


def _counted(writers: Writers, author: Member) -> bool:
    return writers.installation.posts_count(author) == sum(post.author is author for post in writers.posts)
