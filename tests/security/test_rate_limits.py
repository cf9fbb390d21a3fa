"""Rate limits use a sliding window: no period as long as the window exceeds the quota, wherever it begins."""

from collections.abc import Callable
from typing import Any

import pytest

from socialapp.core.cache import redis_client
from socialapp.http import admission
from socialapp.http.admission import LimitExceeded, address_block, admit
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)
QUOTA, WINDOW = 5, 60


class Clock:
    """The clock that admission uses."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Clock:
    settings.RATE_LIMITS = True
    settings.RATE_ADDRESS_FACTOR = 1
    settings.RATES = {"read": (QUOTA, WINDOW), "write": (QUOTA, WINDOW), "register": (2, WINDOW)}
    clock = Clock()
    monkeypatch.setattr(admission, "time", clock)
    return clock


def is_admitted(address: str = "192.0.2.1") -> bool:
    try:
        admit(principal=None, address=address, rate="read")
    except LimitExceeded:
        return False
    return True


@pytest.mark.parametrize("offset", [0.0, 0.5, 17.3, 29.9, 59.0, 59.9])
def test_no_period_as_long_as_the_window_exceeds_the_quota(clock: Clock, offset: float) -> None:
    clock.now += offset
    admitted = []
    for _ in range(1200):
        if is_admitted():
            admitted.append(clock.now)
        clock.now += 0.25
    for moment in admitted:
        assert sum(moment <= other < moment + WINDOW for other in admitted) <= QUOTA
    assert len(admitted) >= QUOTA * 4, "five minutes admit nearly five quotas"


def test_a_quota_used_up_at_the_edge_of_a_window_stays_used_up_after_it(clock: Clock) -> None:
    clock.now = 1_800_000_000.0 // WINDOW * WINDOW + WINDOW - 0.1
    assert [is_admitted() for _ in range(QUOTA)] == [True] * QUOTA
    clock.now += 0.2
    assert not is_admitted()
    clock.now += WINDOW * 0.9
    assert not is_admitted()
    clock.now += WINDOW * 0.2
    assert is_admitted()


def test_refused_requests_do_not_count_towards_the_rate_limit(clock: Clock) -> None:
    for _ in range(QUOTA * 10):
        is_admitted()
    clock.now += WINDOW * 1.05
    assert [is_admitted() for _ in range(QUOTA)] == [True] * QUOTA


def test_a_request_after_retry_after_is_admitted(clock: Clock) -> None:
    for _ in range(QUOTA):
        is_admitted()
    with pytest.raises(LimitExceeded) as refused:
        admit(principal=None, address="192.0.2.1", rate="read")
    assert refused.value.retry_after is not None
    assert 1 <= refused.value.retry_after <= WINDOW
    clock.now += WINDOW / 30 + refused.value.retry_after
    assert is_admitted()


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_ipv6_addresses_are_counted_by_their_64_prefix(address: str, block: str) -> None:
    assert address_block(address) == block


def test_each_ipv6_64_prefix_has_its_own_quota(clock: Clock) -> None:
    assert [is_admitted(f"2001:db8:0:1::{number:x}") for number in range(QUOTA + 1)] == [True] * QUOTA + [False]
    assert is_admitted("2001:db8:0:2::1")


def test_sign_ups_from_one_ipv6_64_prefix_share_a_quota(clock: Clock, settings: Any, anonymous: JsonClient) -> None:
    settings.TRUSTED_PROXIES = 1
    answers = [
        anonymous.post(
            "/v1/auth/register",
            {"email": f"n{number}@example.org", "password": "correct horse battery", "username": f"name{number}"},
            X_Forwarded_For=f"2001:db8:5:5:{number}::1",
        ).status_code
        for number in range(3)
    ]
    assert answers == [201, 201, 429]


def test_rate_limits_cost_one_round_trip(
    clock: Clock, register: Callable[..., Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []
    is_admitted()
    original = redis_client().connection_pool.connection_class.send_packed_command

    def count(self: Any, command: Any, *arguments: Any, **options: Any) -> Any:
        commands.append(command)
        return original(self, command, *arguments, **options)

    monkeypatch.setattr(redis_client().connection_pool.connection_class, "send_packed_command", count)
    is_admitted("192.0.2.9")
    assert len(commands) == 1
