"""What reactions takes, and what it answers for the schema."""

from typing import Any

from rest_framework import serializers

from apps.reactions.queries import REACTION_TYPES
from socialapp.http.fields import Input


class ReactionInput(Input):
    """The body of PUT …/reaction."""

    reaction_type = serializers.ChoiceField(choices=REACTION_TYPES)


class ReactionTotalsBody(serializers.Serializer[Any]):
    """Reactions by type."""

    like = serializers.IntegerField()
    love = serializers.IntegerField()
    haha = serializers.IntegerField()
    sad = serializers.IntegerField()
    angry = serializers.IntegerField()


class ReactionStateBody(serializers.Serializer[Any]):
    """The caller's reaction to a target, and all."""

    my_reaction = serializers.CharField(allow_null=True)
    reactions = ReactionTotalsBody()


class ReactionBody(serializers.Serializer[Any]):
    """Somebody's reaction: their profile card with the reaction."""

    id = serializers.CharField()
    username = serializers.CharField()
    full_name = serializers.CharField()
    profile_picture = serializers.CharField(allow_null=True)
    reaction_type = serializers.ChoiceField(choices=REACTION_TYPES)
    created_at = serializers.DateTimeField()
