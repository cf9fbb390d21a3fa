"""Ids are unique, ascending, contain their time, and survive a clock that goes backwards."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured

from socialapp.core.ids import IdGenerator, _lease_node, first_id_at, id_time, new_id


def test_ids_are_ascending_and_fit_in_64_bits() -> None:
    ids = [new_id() for _ in range(2000)]
    assert ids == sorted(set(ids))
    assert ids[-1] < 1 << 63


def test_threads_never_share_an_id() -> None:
    generator = IdGenerator(node=lambda: 7)
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: generator.next(), range(5000)))
    assert len(set(ids)) == 5000


def test_an_id_contains_its_time_and_node() -> None:
    generator = IdGenerator(node=lambda: 513, clock=lambda: 1_700_000_000_123)
    made = generator.next()
    assert id_time(made) == datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC)
    assert (made >> 6) & 1023 == 513


def test_a_clock_that_goes_backwards_causes_neither_delays_nor_duplicate_ids() -> None:
    hours_ago = 1_700_000_000_000 - 7_200_000
    times = iter([1_700_000_000_000])
    generator = IdGenerator(node=lambda: 0, clock=lambda: next(times, hours_ago))
    ids = [generator.next() for _ in range(1000)]
    assert ids == sorted(set(ids))
    assert id_time(ids[-1]) - id_time(ids[0]) == timedelta(milliseconds=1000 // 64)


def test_more_than_64_ids_in_a_millisecond_wait_for_the_next() -> None:
    clock = [5]
    calls = [0]

    def tick() -> int:
        calls[0] += 1
        if calls[0] > 80:
            clock[0] = 6
        return clock[0]

    generator = IdGenerator(node=lambda: 0, clock=tick)
    ids = [generator.next() for _ in range(66)]
    assert len(set(ids)) == 66
    assert ids[63] >> 16 == 5
    assert ids[64] >> 16 == 6


def test_the_bound_of_a_time_separates_earlier_and_later_ids() -> None:
    made = new_id()
    moment = id_time(made)
    assert first_id_at(moment) <= made < first_id_at(moment + timedelta(milliseconds=1))


def test_a_node_number_is_leased_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NODE_ID", raising=False)
    mine = _lease_node(5)
    assert mine == 5
    monkeypatch.setattr(os, "getpid", lambda: 1_000_001)
    assert _lease_node(5) == 6, "another process leases another number"


def test_a_node_number_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_ID", "1023")
    assert _lease_node(None) == 1023


@pytest.mark.parametrize("value", ["1024", "-1", "web-1"])
def test_a_node_number_that_is_none_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_ID", value)
    with pytest.raises(ImproperlyConfigured, match="NODE_ID must be 0 to 1023"):
        _lease_node(None)
