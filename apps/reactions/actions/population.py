"""Fills the tables of reactions and their counts with a generated population."""

from collections import Counter
from collections.abc import Iterator
from itertools import count

from apps.reactions.models import Reaction, ReactionCount, TargetType
from socialapp.contracts.bulk import Population
from socialapp.core.table_fill import Row, fill_table
from socialapp.demo.filling import fillable
from socialapp.demo.population import answers, first_id, moment, moment_text, person_ids


def _fill_reactions(population: Population) -> int:
    columns = (
        "id",
        "user_id",
        "post_id",
        "comment_id",
        "reaction_type",
        "created_at",
        "target_author_id",
        "under_post_id",
    )
    return fill_table(Reaction, columns=columns, rows=_reactions(population))


def _reactions(population: Population) -> Iterator[Row]:
    ids = person_ids(population)
    for post, comments, reactions in answers(population):
        for reaction in reactions:
            if reaction.comment is None:
                post_id, comment_id, author = post.id, None, post.author
            else:
                comment = comments[reaction.comment]
                post_id, comment_id, author = None, comment.id, comment.author
            target = (post_id, comment_id, reaction.type, moment_text(reaction.at_ms), ids[author], post.id)
            yield reaction.id, ids[reaction.user], *target


def _fill_counts(population: Population) -> int:
    """Uses one slot of each count; later reactions are counted in their proper slots."""
    columns = ("id", "target_type", "target_id", "reaction_type", "count")
    same = {"slot": 0, "updated_at": moment(population.until_ms)}
    return fill_table(ReactionCount, columns=columns, rows=_counts(population), same=same)


def _counts(population: Population) -> Iterator[Row]:
    ids = count(first_id(population))
    for post, comments, reactions in answers(population):
        counted = Counter((reaction.comment, reaction.type) for reaction in reactions)
        for (place, reaction_type), number in counted.items():
            target = (_POST, post.id) if place is None else (_COMMENT, comments[place].id)
            yield next(ids), *target, reaction_type, number


_POST, _COMMENT = TargetType.POST.value, TargetType.COMMENT.value

POPULATION_TABLES = {
    "reactions": fillable(Reaction, fill=_fill_reactions),
    "reaction_counts": fillable(ReactionCount, fill=_fill_counts),
}
