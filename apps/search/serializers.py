"""The schema of search's responses."""

from typing import Any

from rest_framework import serializers


class SearchResultBody(serializers.Serializer[Any]):
    """A result. `item` is a profile, a post, or for hashtags `{name, posts_count}`."""

    type = serializers.ChoiceField(choices=["user", "post", "hashtag"])
    item = serializers.DictField(help_text="A profile, a post, or {name, posts_count} for a hashtag.")
    highlight = serializers.CharField(allow_null=True, help_text="HTML-escaped text with the matches in <em>.")


class SearchPageBody(serializers.Serializer[Any]):
    """A page of results. `did_you_mean` is the corrected query whose posts are shown if the one that was sent finds
    none."""

    results = SearchResultBody(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    did_you_mean = serializers.CharField(allow_null=True)
