"""What the users tests share."""

from collections.abc import Callable
from itertools import count

import pytest
from django.utils import timezone

from apps.users import actions
from socialapp.core.ids import new_id


@pytest.fixture
def person(db: None) -> Callable[..., int]:
    """Makes a profile without an account, for tests that need many people or do not go through the API."""
    numbers = count()

    def make(**changes: object) -> int:
        user_id = new_id()
        username = str(changes.pop("username", f"person{next(numbers)}"))
        actions.make_profile(user_id=user_id, username=username, full_name="", created_at=timezone.now())
        if changes:
            actions.update_profile(user_id=user_id, changes=changes, expected_versions=None)
        return user_id

    return make
