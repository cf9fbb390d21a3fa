"""What a reaction asks of databases and Redis, and what its effects in every context ask for a batch of five.

A budget may only fall. Whoever makes an effect cheaper lowers it; whoever must raise it says why in the commit.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from socialapp.core.contexts import CONTEXTS
from socialapp.messaging import relay
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import Envelope, decode
from socialapp.messaging.registry import handlers_of
from tests.conftest import ALL_CONTEXTS, Person
from tests.query_budgets.counting import Meter, meter
from tests.query_budgets.dataset import ok

__all__ = ["meter"]
# Only after a true commit Redis is told as the product tells it.
pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)

_BATCH = 5
_BUDGETS = {
    "request": {"statements": 6, "redis": 2},
    "relay": {"statements": 3, "redis": 0},
    "comments": {"statements": 1, "redis": 0},
    "notifications": {"statements": 12, "redis": 1},
    "metrics": {"statements": 3, "redis": 0},
}


def test_a_reaction_with_its_effects_costs_no_more_than_its_budgets(
    register: Callable[..., Person], drain: Callable[[], int], meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without BEGIN and COMMIT, two for each."""
    database: Any = connections["reactions"]
    if database.vendor != "mysql" or not database.mysql_is_mariadb:
        pytest.skip("other databases are asked a little differently")
    author, *people = (register(f"reactor{number}") for number in range(_BATCH + 2))
    post_id = ok(author.client.post("/v1/posts", {"content": "the well in the square"}))["id"]
    first, *others = people
    _react(first, post_id)
    drain()
    found = {}
    with meter.reading() as cost:
        _react(others[0], post_id)
    found["request"] = cost
    for person in others[1:]:
        _react(person, post_id)
    sent: list[Envelope] = []
    monkeypatch.setattr(relay, "send", lambda rows: sent.extend(decode(row.envelope) for row in rows))
    with meter.reading() as cost:
        assert relay.relay_once("reactions") == _BATCH
    found["relay"] = cost
    for context in CONTEXTS:
        if handlers_of(context, event=sent[0].type):
            with meter.reading() as cost:
                deliver(context, envelopes=sent)
            found[context] = cost
    assert found.keys() == _BUDGETS.keys()
    exceeded = [
        f"{name}: {cost.numbers()[what]} {what}, budget {most}\n{cost.details()}"
        for name, cost in found.items()
        for what, most in _BUDGETS[name].items()
        if cost.numbers()[what] > most
    ]
    assert not exceeded, "\n".join(exceeded)


def _react(person: Person, post_id: str) -> Any:
    return ok(person.client.put(f"/v1/posts/{post_id}/reaction", {"reaction_type": "like"}))
