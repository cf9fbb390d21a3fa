"""Many people commenting, replying and deleting at the same moment: counts come out exact, threads whole."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import close_old_connections, connections

from apps.comments import access, actions, queries, tasks
from apps.comments.models import Comment, CommentCount
from socialapp.contracts.comments import CommentRef
from socialapp.contracts.posts import PostRef
from socialapp.contracts.users import ProfileSummary
from socialapp.core.db import is_tidb
from socialapp.core.errors import Invalid, NotFound
from socialapp.core.ids import id_time, new_id
from socialapp.lifecycle.removal import begin_removal
from tests.conftest import ALL_CONTEXTS

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)

THREADS = 8


@pytest.fixture(autouse=True)
def _server_database() -> None:
    """SQLite's test database lives in memory, where a second writer is refused instead of made to wait."""
    if connections["comments"].vendor == "sqlite":
        pytest.skip("needs a database server")


def in_parallel(*jobs: Callable[[], Any]) -> list[Any]:
    """Runs the jobs at once, each with connections of its own; their results, or the refusals they met."""

    def run(job: Callable[[], Any]) -> Any:
        try:
            return job()
        except (Invalid, NotFound) as refusal:
            return refusal
        finally:
            close_old_connections()
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, jobs))


def draft(post_id: int, author_id: int, parent: Comment | None = None) -> access.Draft:
    """A comment ready to be written."""
    post = PostRef(id=post_id, author_id=1, is_private=False, created_at=id_time(post_id))
    card = ProfileSummary(id=author_id, username="x", full_name="", profile_picture="")
    ref = None
    if parent is not None:
        ref = CommentRef(id=parent.id, post_id=post_id, author_id=author_id, created_at=parent.created_at)
    return access.Draft(post, card, ref, {}, "text")


def write(post_id: int, author_id: int, parent: Comment | None = None) -> Comment:
    """A new comment."""
    return actions.create_comment(draft=draft(post_id, author_id, parent))


def assert_exact(post_id: int) -> None:
    """The stored counts of the post and of its comments equal the rows."""
    assert queries.suspect_posts(post_ids=[post_id]) == []
    assert queries.suspect_threads(post_ids=[post_id]) == []
    for row in Comment.objects.filter(post_id=post_id):
        assert not row.is_tombstone or row.replies_count > 0


def test_comments_and_replies_at_once_are_all_counted() -> None:
    post_id = new_id()
    root = write(post_id, new_id())
    in_parallel(
        *(lambda: write(post_id, new_id()) for _ in range(24)),
        *(lambda: write(post_id, new_id(), root) for _ in range(24)),
    )
    assert [row.count for row in queries.counts(post_ids=[post_id])] == [49]
    assert Comment.objects.get(id=root.id).replies_count == 24
    assert_exact(post_id)


def test_deleting_the_last_replies_concurrently_deletes_their_tombstones() -> None:
    post_id = new_id()
    root = write(post_id, new_id())
    middle = write(post_id, new_id(), root)
    leaves = [write(post_id, new_id(), parent) for parent in (root, middle) for _ in range(8)]
    for deleted in (root, middle):
        actions.delete_comment(comment_id=deleted.id)
    in_parallel(*(lambda leaf=leaf: actions.delete_comment(comment_id=leaf.id) for leaf in leaves))
    assert list(Comment.objects.filter(post_id=post_id)) == []
    assert queries.counts(post_ids=[post_id]) == []


def test_a_comment_deleted_twice_at_once_is_deleted_once() -> None:
    comment = write(new_id(), new_id())
    results = in_parallel(*(lambda: actions.delete_comment(comment_id=comment.id) for _ in range(THREADS)))
    assert sum(result is None for result in results) == 1
    assert_exact(comment.post_id)


def test_replies_race_with_the_deletion_of_their_parent() -> None:
    for _ in range(4):
        post_id = new_id()
        root = write(post_id, new_id())
        in_parallel(
            *(lambda: write(post_id, new_id(), root) for _ in range(4)),  # noqa: B023
            lambda: actions.delete_comment(comment_id=root.id),  # noqa: B023
            *(lambda: write(post_id, new_id(), root) for _ in range(4)),  # noqa: B023
        )
        assert_exact(post_id)
        assert set(Comment.objects.filter(post_id=post_id).values_list("parent_comment_id", flat=True)) <= {
            None,
            root.id,
        }


def test_no_concurrent_comment_survives_the_deletion_of_its_post_or_author() -> None:
    for _ in range(4):
        post_id, author_id = new_id(), new_id()
        in_parallel(
            *(lambda: write(post_id, author_id) for _ in range(6)),  # noqa: B023
            lambda: begin_removal("comments", kind="post", subject_id=post_id),  # noqa: B023
            *(lambda: write(post_id, author_id) for _ in range(6)),  # noqa: B023
        )
        _on_tidb_look_again()
        assert not Comment.objects.filter(post_id=post_id).exists()
        assert not CommentCount.objects.filter(post_id=post_id).exists()
        other = new_id()
        in_parallel(
            *(lambda: write(other, author_id) for _ in range(6)),  # noqa: B023
            lambda: begin_removal("comments", kind="user", subject_id=author_id, erasure_id=1),  # noqa: B023
            *(lambda: write(other, author_id) for _ in range(6)),  # noqa: B023
        )
        _on_tidb_look_again()
        assert not Comment.objects.filter(user_id=author_id).exists()
        assert_exact(other)


def _on_tidb_look_again() -> None:
    """TiDB does not wait for rows that others are about to add: one may stay until the periodic check."""
    if is_tidb("comments"):
        tasks.check_counts()
