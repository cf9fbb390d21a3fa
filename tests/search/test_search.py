"""Searching: what is found, in which order, and what never is."""

import pytest

from tests.conftest import ALL_CONTEXTS

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_finds_posts_newest_first_without_case_and_accents(searching, people, anonymous):
    for content in ("Café au lait", "A CAFE in Rome", "tea only"):
        searching.post(people["alice"], content)
    searching.settle()
    assert searching.contents(anonymous, "café") == ["A CAFE in Rome", "Café au lait"]
    assert searching.contents(anonymous, "CAFE lait") == ["Café au lait"]
