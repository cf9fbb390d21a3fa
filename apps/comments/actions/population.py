"""Fills the tables of comments and their counts with a generated population."""

from collections import Counter
from collections.abc import Iterator

from apps.comments.models import Comment, CommentCount
from socialapp.contracts.bulk import Population
from socialapp.core.table_fill import Row, fill_table
from socialapp.demo.filling import fillable
from socialapp.demo.population import answers, moment, moment_text, person_ids, posts


def _fill_comments(population: Population) -> int:
    columns = (
        "id",
        "post_id",
        "user_id",
        "parent_comment_id",
        "content",
        "created_at",
        "updated_at",
        "depth",
        "replies_count",
        "score",
    )
    return fill_table(Comment, columns=columns, rows=_comments(population))


def _comments(population: Population) -> Iterator[Row]:
    ids = person_ids(population)
    for post, comments, reactions in answers(population):
        if not comments:
            continue
        replies = Counter(comment.parent for comment in comments)
        scores = Counter(reaction.comment for reaction in reactions)
        for place, comment in enumerate(comments):
            at = moment_text(comment.at_ms)
            parent_id, depth = (None, 0) if comment.parent is None else (comments[comment.parent].id, 1)
            written = (post.id, ids[comment.author], parent_id, comment.text, at, at)
            yield comment.id, *written, depth, replies[place], scores[place]


def _fill_counts(population: Population) -> int:
    """Uses one slot of each count; later comments are counted in their proper slots."""
    rows = ((post.id, post.id, post.comments) for post in posts(population) if post.comments)
    same = {"slot": 0, "updated_at": moment(population.until_ms)}
    return fill_table(CommentCount, columns=("id", "post_id", "count"), rows=rows, same=same)


POPULATION_TABLES = {
    "comments": fillable(Comment, fill=_fill_comments),
    "comment_counts": fillable(CommentCount, fill=_fill_counts),
}
