"""Response bodies, and records of the bulk export."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from apps.reactions.models import Reaction
from socialapp.contracts.bulk import Record
from socialapp.contracts.reactions import ReactionCounts
from socialapp.contracts.users import ProfileSummary
from socialapp.http.profile_summary import profile_summary_body


def reaction_state_body(counts: ReactionCounts, *, mine: str | None) -> dict[str, Any]:
    """The response to setting or removing a reaction."""
    return {"my_reaction": mine, "reactions": msgspec.to_builtins(counts)}


def reaction_bodies(reactions: Sequence[Reaction], *, reactors: Mapping[int, ProfileSummary]) -> list[dict[str, Any]]:
    """Who reacted, and how; without people who are not among `reactors`."""
    return [
        {
            **profile_summary_body(reactors[reaction.user_id]),
            "reaction_type": reaction.reaction_type,
            "created_at": reaction.created_at,
        }
        for reaction in reactions
        if reaction.user_id in reactors
    ]


def reaction_record(reaction: Reaction) -> Record:
    """A `reaction` record. Format: docs/records.md."""
    return {
        "id": str(reaction.id),
        "user_id": str(reaction.user_id),
        "post_id": str(reaction.post_id) if reaction.post_id is not None else None,
        "comment_id": str(reaction.comment_id) if reaction.comment_id is not None else None,
        "reaction_type": reaction.reaction_type,
        "created_at": reaction.created_at.isoformat(),
    }
