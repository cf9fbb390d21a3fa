"""Over sixty judged queries: both back ends rank relevant results first."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.search.conftest import Searching
from tests.search.judged import PEOPLE, POSTS, QUERIES, ndcg

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

MIN_NDCG = 0.97  # mean over all queries


def test_ndcg_is_computed_correctly() -> None:
    grades = {"a": 2, "b": 1}
    assert ndcg(grades, ["a", "b"]) == 1.0
    assert round(ndcg(grades, ["b", "a"]), 3) == 0.797
    assert ndcg(grades, ["x", "y"]) == 0.0
    assert ndcg({}, []) == 1.0
    assert ndcg({}, ["x"]) == 0.0


@pytest.fixture
def keys(searching: Searching, register: Callable[..., Person], settings: Any, tmp_path: Path) -> Any:
    """Indexes the collection; returns post id → its key."""
    synonyms = tmp_path / "synonyms.txt"
    synonyms.write_text("car, automobile\n")
    settings.SEARCH_SYNONYMS = str(synonyms)
    author = register("author")
    for name, (full_name, bio) in PEOPLE.items():
        assert register(name, full_name=full_name).client.patch("/v1/profiles/me", {"bio": bio}).status_code == 200
    made = {searching.post(author, text): key for key, text in POSTS.items()}
    searching.settle()
    searching.forget_old_versions()
    return made


def test_judged_queries_rank_relevant_results_first(searching: Searching, anonymous: JsonClient, keys: Any) -> None:
    assert len(QUERIES) >= 60

    def found(query: Any) -> Any:
        if query.kind == "users":
            return searching.names(anonymous, query.q)
        if query.kind == "hashtags":
            return [name for name, _ in searching.tags(anonymous, query.q)]
        results = searching.page(anonymous, query.q, type="posts", sort="relevance")["results"]
        return [keys[result["item"]["id"]] for result in results]

    answers = [(query, found(query)) for query in QUERIES]
    scores = [ndcg(query.grades, names) for query, names in answers]
    wrong = [
        (query.q, names)
        for query, names in answers
        if set(names) != set(query.grades) or (names and query.grades[names[0]] != max(query.grades.values()))
    ]
    assert not wrong, "finds exactly the relevant results, with one of the best first"
    mean = sum(scores) / len(scores)
    assert mean >= MIN_NDCG, sorted(zip(scores, (query.q for query in QUERIES), strict=True))[:10]
