"""What users answers to the other contexts."""

import pytest

from apps.users import actions
from socialapp.calls import client
from socialapp.contracts.users import Users
from tests.conftest import ALL_CONTEXTS

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_smoke(person):
    one, other = person(), person()
    actions.follow(follower_id=one, target_id=other)
    answer = client(Users).audience(viewer_id=one, author_ids=[one, other])
    assert {a.card.id: a.follows for a in answer.authors} == {one: True, other: True}
    assert answer.following_version == 1
    bodies = client(Users).profile_bodies(viewer_id=other, ids=[one, other])
    assert [b["followers_count"] for b in bodies] == [0, 1]
    assert bodies[0]["relationship"]["followed_by"] is True
    assert client(Users).following(user_id=one).ids == [other]
    client(Users).hide(user_id=other)
    assert client(Users).profiles(ids=[one, other])[0].id == one
