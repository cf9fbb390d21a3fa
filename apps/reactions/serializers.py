"""Input of reactions' routes, and the schema of their responses."""

from typing import Any

from rest_framework import serializers

from apps.reactions.queries import REACTION_TYPES
from socialapp.http.fields import Input
from socialapp.http.serializers import ProfileSummaryBody, ReactionCountsBody


class ReactionInput(Input):
    """The body of PUT …/reaction."""

    reaction_type = serializers.ChoiceField(choices=REACTION_TYPES)


class ReactionStateBody(serializers.Serializer[Any]):
    """The caller's reaction to a target, and the counts of all."""

    my_reaction = serializers.CharField(allow_null=True)
    reactions = ReactionCountsBody()


class ReactionBody(ProfileSummaryBody):
    """Somebody's reaction: their profile summary with the reaction."""

    reaction_type = serializers.ChoiceField(choices=REACTION_TYPES)
    created_at = serializers.DateTimeField()
