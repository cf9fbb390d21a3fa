"""The schema of metrics' responses."""

from typing import Any

from rest_framework import serializers


class EngagementBody(serializers.Serializer[Any]):
    """Engagement, minus what was undone."""

    views = serializers.IntegerField(help_text="Readers of the post, each counted once a day.")
    impressions = serializers.IntegerField(help_text="Readers who saw the post in a list, each counted once a day.")
    reactions = serializers.IntegerField()
    comments = serializers.IntegerField()
    reposts = serializers.IntegerField()


class EngagementDayBody(EngagementBody):
    """Engagement in one day, UTC; negative if more was undone than added."""

    date = serializers.DateField()


class PostMetricsBody(EngagementBody):
    """The numbers of one post; `by_day` covers up to the last 30 days, oldest first."""

    by_day = EngagementDayBody(many=True)


class AuthorEngagementBody(EngagementBody):
    """Engagement with everything that an author wrote."""

    posts = serializers.IntegerField()
    followers = serializers.IntegerField(help_text="Followers gained, net.")


class AuthorEngagementDayBody(AuthorEngagementBody):
    """An author's engagement in one day, UTC."""

    date = serializers.DateField()


class AuthorMetricsBody(AuthorEngagementBody):
    """The caller's numbers; `by_day` covers the last 30 days, oldest first."""

    by_day = AuthorEngagementDayBody(many=True)
