"""Fills the tables of posts and hashtags with a generated population. Feeds are built when they are read."""

import json
from collections.abc import Iterator

from apps.posts.models import Post, PostHashtag
from socialapp.contracts.bulk import Population
from socialapp.core.table_fill import Row, fill_table
from socialapp.core.text.hashtags import find_hashtags, hashtag_digest
from socialapp.demo.filling import fillable
from socialapp.demo.population import moment_text, person_ids, posts, text_of
from socialapp.demo.texts import POSTS


def _fill_posts(population: Population) -> int:
    columns = ("id", "user_id", "content", "is_private", "created_at", "updated_at", "hashtags")
    return fill_table(Post, columns=columns, rows=_posts(population))


def _posts(population: Population) -> Iterator[Row]:
    ids = person_ids(population)
    hashtags = [json.dumps(find_hashtags(text)) for text in POSTS]
    for post in posts(population):
        at = moment_text(post.at_ms)
        yield post.id, ids[post.author], text_of(post), int(post.is_private), at, at, hashtags[post.text]


def _fill_hashtags(population: Population) -> int:
    return fill_table(PostHashtag, columns=("id", "tag", "tag_key", "post_id"), rows=_hashtags(population))


def _hashtags(population: Population) -> Iterator[Row]:
    found = [[(tag, hashtag_digest(tag)) for tag in find_hashtags(text)] for text in POSTS]
    for post in posts(population):
        for place, (tag, key) in enumerate(found[post.text]):
            yield post.id + place, tag, key, post.id


POPULATION_TABLES = {
    "posts": fillable(Post, fill=_fill_posts),
    "post_hashtags": fillable(PostHashtag, fill=_fill_hashtags),
}
