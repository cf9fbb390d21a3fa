"""After random writes and deletions the stored counts equal the rows."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.comments import access, actions, queries
from apps.comments.models import Comment, CommentCount
from socialapp.contracts.comments import CommentRef
from socialapp.contracts.posts import PostRef
from socialapp.contracts.users import ProfileSummary
from socialapp.core.ids import id_time, new_id
from socialapp.lifecycle.models import Tombstone
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.models import OutboxEvent
from tests.conftest import ALL_CONTEXTS

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

POSTS, AUTHORS = (101, 102), (201, 202, 203)
STEP = st.tuples(
    st.sampled_from(["write", "reply", "reply", "reply", "delete", "delete", "erase", "forget"]),
    st.integers(0, 1),
    st.integers(0, 2),
    st.integers(0, 1000),
)


class Model:
    """What must be true: every comment and every tombstone with its parent."""

    def __init__(self) -> None:
        self.parents: dict[int, int | None] = {}
        self.posts: dict[int, int] = {}
        self.authors: dict[int, int] = {}

    def write(self, post_id: int, author_id: int, parent_id: int | None) -> None:
        post = PostRef(id=post_id, author_id=1, is_private=False, created_at=id_time(new_id()))
        card = ProfileSummary(id=author_id, username="x", full_name="", profile_picture="")
        parent = None
        if parent_id is not None:
            parent = CommentRef(
                id=parent_id, post_id=post_id, author_id=self.authors[parent_id], created_at=post.created_at
            )
        made = actions.create_comment(draft=access.Draft(post, card, parent, {}, "text"))
        self.parents[made.id], self.posts[made.id], self.authors[made.id] = parent_id, post_id, author_id

    def delete(self, comment_id: int) -> None:
        del self.authors[comment_id]
        at: int | None = comment_id
        while at is not None and at not in self.authors and at not in self.parents.values():
            self.posts.pop(at)
            at = self.parents.pop(at)

    def check(self) -> None:
        rows = {row.id: row for row in Comment.objects.all()}
        assert {row.id: row.parent_comment_id for row in rows.values()} == self.parents
        assert {row.id: row.user_id for row in rows.values() if not row.is_tombstone} == self.authors
        for row in rows.values():
            assert row.replies_count == list(self.parents.values()).count(row.id)
            if row.is_tombstone:
                assert (row.user_id, row.content) == (None, "")
                assert row.replies_count > 0
        counted = {count.post_id: count.count for count in queries.counts(post_ids=POSTS)}
        existing = [self.posts[comment_id] for comment_id in self.authors]
        assert counted == {post_id: existing.count(post_id) for post_id in set(existing)}


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, min_size=5, max_size=25))
def test_counts_always_equal_rows(steps: list[tuple[str, int, int, int]]) -> None:
    for table in (Comment, CommentCount):
        table.objects.all().delete()
    OutboxEvent.objects.using("comments").all().delete()
    Tombstone.objects.using("comments").all().delete()
    model = Model()
    written = 0
    gone: set[int] = set()
    for kind, post_number, author_number, pick in steps:
        post_id, author_id = POSTS[post_number], AUTHORS[author_number]
        existing = sorted(model.authors)
        if kind == "erase" and author_id not in gone and pick % 4 == 0:
            begin_removal("comments", kind="user", subject_id=author_id, erasure_id=1)
            gone.add(author_id)
            for comment_id in sorted((c for c, a in model.authors.items() if a == author_id), reverse=True):
                model.delete(comment_id)
        elif kind == "forget" and post_id not in gone and pick % 4 == 0:
            begin_removal("comments", kind="post", subject_id=post_id)
            gone.add(post_id)
            for comment_id in [c for c, p in model.posts.items() if p == post_id]:
                model.parents.pop(comment_id), model.posts.pop(comment_id), model.authors.pop(comment_id, None)
        elif kind == "delete" and existing:
            chosen = existing[pick % len(existing)]
            actions.delete_comment(comment_id=chosen)
            model.delete(chosen)
        elif kind == "reply" and existing and author_id not in gone:
            parent_id = existing[pick % len(existing)]
            model.write(model.posts[parent_id], author_id, parent_id)
            written += 1
        elif kind == "write" and not {post_id, author_id} & gone:
            model.write(post_id, author_id, None)
            written += 1
        model.check()
    events = OutboxEvent.objects.using("comments")
    assert events.filter(type="comments.comment_created.v1").count() == written
    assert events.filter(type="comments.comment_deleted.v1").count() == written - len(model.authors)
