"""Any text given as a name, an address or a password is either valid or rejected."""

import contextlib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.auth.access import checked_email, lookup_key
from apps.auth.actions.names import RESERVED, checked_username
from apps.auth.actions.tokens import new_refresh_token, session_of_refresh_token
from apps.auth.models import User
from socialapp.core.errors import Invalid
from socialapp.core.text.emails import email_key
from tests.conftest import ALL_CONTEXTS, JsonClient


@given(st.text())
@example("a@" + "ä." * 40)
@example("a@\u2024.org")
@example("@")
@example("a@xn--.org")
def test_any_text_is_a_valid_address_or_rejected(text: Any) -> None:
    with contextlib.suppress(Invalid):
        address = checked_email(text)
        assert len(address) <= 254
        assert address.rpartition("@")[2].isascii()
        assert checked_email(address) == address, "normalizing an accepted address again changes nothing"
        assert lookup_key(text) == email_key(address)
    assert isinstance(lookup_key(text), str)


@given(st.emails())
def test_addresses_are_found_ignoring_case(address: Any) -> None:
    with contextlib.suppress(Invalid):
        assert lookup_key(checked_email(address).upper()) == email_key(checked_email(address))


@given(st.text(alphabet="aZ09_.-é\n", max_size=40))
def test_characters_and_length_of_usernames_are_limited(text: Any) -> None:
    with contextlib.suppress(Invalid):
        name = checked_username(text)
        assert 3 <= len(name) <= 30
        assert set(name) <= set("aZ09_.")


def test_reserved_names_are_rejected_in_any_case() -> None:
    for name in RESERVED:
        if len(name) >= 3:
            assert checked_username(name, may_be_reserved=True) == name
        for form in (name, name.upper()):
            with contextlib.suppress(Invalid):
                checked_username(form)
                raise AssertionError(f"{form} was accepted")


@pytest.mark.django_db(databases=ALL_CONTEXTS)
@pytest.mark.parametrize(
    "name",
    ["admin.", ".admin", "_admin", "admin_", "a.d.m.i.n", "a__d_min", "ADMIN_", "moderator_", "m.o.d", "s_u_p_p_o_r_t",
     "adm1n", "supp0rt", "rnoderator", "r00t", "_0fficial_", "nu11", "Ad.Min", "deleted_1", "...", "___", "a.",
     "bob.", ".bob"],
)  # fmt: skip
def test_reserved_names_are_rejected_in_any_spelling(anonymous: JsonClient, name: str) -> None:
    body = {"username": name, "email": "someone@example.org", "password": "correct horse battery"}
    answer = anonymous.post("/v1/auth/register", body)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, ["username"])
    assert User.objects.count() == 0


@given(st.text())
def test_arbitrary_text_is_not_a_refresh_token(text: Any) -> None:
    assert session_of_refresh_token(text) is None


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_a_refresh_token_contains_its_session_and_a_modified_one_is_rejected(session_id: Any) -> None:
    token = new_refresh_token(session_id)
    assert session_of_refresh_token(token) == session_id
    assert session_of_refresh_token("1" + token) is None
    assert token != new_refresh_token(session_id)
