"""Decisions of a moderator about what is on the stage."""

from typing import Any

from apps.moderation import actions
from apps.moderation.queries import Target
from tests.moderation.conftest import MODERATOR_ID, Stage


def act(stage: Stage, decision: str, target_type: str, **changes: Any) -> actions.Act:
    """A decision about Ann, her post, or Ben's comment."""
    targets = {
        "user": Target("user", int(stage.ann.id), int(stage.ann.id)),
        "post": Target("post", int(stage.post_id), int(stage.ann.id)),
        "comment": Target("comment", int(stage.comment_id), int(stage.ben.id)),
    }
    values: dict[str, Any] = {"moderator_id": MODERATOR_ID, "reason": "be kind", "note": "seen before", **changes}
    return actions.Act(decision=decision, target=targets[target_type], **values)
