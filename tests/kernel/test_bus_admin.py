"""The bus in the admin site: administrators see dead letters of every context and replay them; others see nothing."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from apps.auth.actions import create_admin, prepare_account
from apps.auth.models import User
from socialapp.messaging.models import FailedDelivery
from tests.conftest import ALL_CONTEXTS, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)
PAGE = "/admin/bus/faileddelivery/"


@pytest.fixture
def browser() -> Client:
    """An administrator's browser."""
    new = prepare_account(username="operator", email="operator@example.org", password="correct horse battery")
    client = Client()
    client.force_login(User.objects.get(id=create_admin(new=new).id))
    return client


def make_dead_letter(context: str, event_id: int) -> FailedDelivery:
    row = FailedDelivery(
        event_id=event_id, handler=f"{context}.handle", type="metrics.bell_rung.v1", subject="1", envelope="{}",
        attempts=7, error="ValueError('cracked bell')", dead=True, retry_at=timezone.now(),
    )  # fmt: skip
    row.save(using=context)
    return row


def test_dead_letters_of_all_contexts_are_shown(browser: Client) -> None:
    make_dead_letter("posts", 501)
    make_dead_letter("search", 502)
    page = browser.get(PAGE).content.decode()
    assert all(text in page for text in ("501", "502", "posts.handle", "search.handle", "cracked bell"))


def test_a_replay_makes_one_delivery_due_again(browser: Client) -> None:
    make_dead_letter("posts", 501)
    make_dead_letter("posts", 502)
    answer = browser.post(PAGE, {"context": "posts", "event": "501"})
    assert answer.status_code == 302
    rows = FailedDelivery.objects.using("posts")
    assert list(rows.order_by("event_id").values_list("event_id", "dead", "attempts")) == [
        (501, False, 0),
        (502, True, 7),
    ]


@pytest.mark.parametrize("body", [{"context": "nowhere"}, {"context": "posts", "event": "x"}, {}])
def test_a_replay_without_selected_dead_letters_changes_nothing(browser: Client, body: dict[str, str]) -> None:
    make_dead_letter("posts", 501)
    assert browser.post(PAGE, body).status_code == 302
    assert FailedDelivery.objects.using("posts").get().dead


def test_other_users_are_redirected_to_the_log_in(register: Callable[..., Person]) -> None:
    person = register("ada")
    stranger = Client()
    stranger.force_login(User.objects.get(id=int(person.id)))
    make_dead_letter("posts", 501)
    for answer in (stranger.get(PAGE), stranger.post(PAGE, {"context": "posts"}), Client().get(PAGE)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")
    assert FailedDelivery.objects.using("posts").get().dead
