"""Visible text, names, e-mail addresses and passwords."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialapp.core.text.emails import normalize_email
from socialapp.core.text.names import is_one_line, isolated
from socialapp.core.text.passwords import comparable, opaque_string
from socialapp.core.text.visible import has_control_characters, is_blank

ANY_TEXT = st.text(st.characters(codec=None, categories=None))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "\u3164",
        "\u115f",
        "\u1160",
        "\uffa0",
        "\u2800",
        "\u034f",
        "\ufe0f",
        "\u0301",
        "\u200b\u200e",
        "\u2028",
        "\u00ad",
        "\u180e",
        "\u17b4",
        "\U000e0020",
        "\U0001d173",
        "\u2800\u0301 \u3164",
        "\ufff9",
        "\uffff",
        "\x00",
    ],
)
def test_invisible_text_is_blank(text: str) -> None:
    """Characters that show nothing."""
    assert is_blank(text)


@pytest.mark.parametrize(
    "text", ["a", "\u06dd", "🎉", "・", "東", "\u3164a", "⠓", "_", "\u110bd", "é", "1\ufe0f\u20e3"]
)
def test_visible_text_is_not_blank(text: str) -> None:
    """Letters, signs and emoji."""
    assert not is_blank(text)


@given(ANY_TEXT, ANY_TEXT)
def test_concatenated_texts_are_blank_if_both_are(one: str, other: str) -> None:
    """Two texts together are blank if each of them is."""
    assert is_blank(one + other) == (is_blank(one) and is_blank(other))


@pytest.mark.parametrize(
    "name", ["Bob [\u202e]eman", "a\nb", "a\u2028b", "a\u2066b", "\u202a", "a\x85b", "\ufff9", "a\tb", "\ud800"]
)
def test_names_with_control_characters_are_not_one_line(name: str) -> None:
    """Line breaks, control characters and changes of text direction."""
    assert not is_one_line(name)


@pytest.mark.parametrize(
    "name", ["Bob", "Ж 東 שלום", "می\u200cخواهم", "שלום\u200f (x)", "👩\u200d🚀", "🏴\U000e0067\U000e0062\U000e007f"]
)
def test_names_in_all_scripts_are_one_line(name: str) -> None:
    """Names in all scripts, joiners, direction marks and emoji."""
    assert is_one_line(name)


@given(ANY_TEXT)
def test_isolated_names_cannot_affect_surrounding_text(name: str) -> None:
    """Exactly one isolate is opened and closed, whatever the name contains; left-to-right names need none."""
    turning = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
    text = isolated(name)
    assert [character for character in text if character in turning] in ([], ["\u2068", "\u2069"])
    assert text == name or (text[0], text[-1]) == ("\u2068", "\u2069")


def test_names_are_isolated_if_needed() -> None:
    """Right-to-left names, and names with characters that change the direction."""
    assert isolated("Bob 東") == "Bob 東"
    assert isolated("بوب") == "\u2068بوب\u2069"
    assert isolated("Bob [\u202e]eman\u2069") == "\u2068Bob []eman\u2069"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Bob@Example.ORG", "Bob@example.org"),
        (" x@ｅxample.org ", "x@example.org"),
        ("x@example。org", "x@example.org"),
        ("x@faß.de", "x@xn--fa-hia.de"),
        ("x@bücher.example", "x@xn--bcher-kva.example"),
        ("x+y@example.org", "x+y@example.org"),
    ],
)
def test_addresses_are_normalized(text: str, address: str) -> None:
    """Domains follow UTS #46, non-transitional; normalization is idempotent."""
    assert normalize_email(text) == address == normalize_email(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "x",
        "x@",
        "@example.org",
        "àdmin@example.org",
        "ｘ@example.org",
        "x@exa mple.org",
        "x@-a.org",
        "x@a_b.org",
        "x@a..org",
        "x\n@example.org",
        "x@example.org\u202e",
        f"x@{'a' * 64}.org",
        f"{'x' * 65}@example.org",
        "x@xn--a.org",
    ],
)
def test_invalid_addresses_are_rejected(text: str) -> None:
    """They are not repaired."""
    with pytest.raises(ValueError):  # noqa: PT011  (its subclasses come from the library)
        normalize_email(text)


@given(ANY_TEXT, ANY_TEXT)
def test_accepted_addresses_are_ascii(local: str, domain: str) -> None:
    """All accepted addresses are ASCII, and normalization is idempotent."""
    try:
        address = normalize_email(f"{local}@{domain}")
    except ValueError:
        return
    assert address.isascii()
    assert normalize_email(address) == address


def test_equivalent_unicode_forms_are_the_same_password() -> None:
    """Decomposed letters and other spaces are the same password; another case or width is not."""
    password = "Zürcher Käsefondue é9"
    assert opaque_string(unicodedata.normalize("NFD", password)) == opaque_string(password) == password
    assert opaque_string("a\u00a0b\u3000c") == "a b c"
    assert opaque_string("ｗ") != "w"
    assert comparable("a\u0308") == "ä"


@pytest.mark.parametrize("password", ["a\tb", "a\x00", "a\u00ad", "\u200b", "\ufdd0", ""])
def test_passwords_with_invisible_characters_are_rejected(password: str) -> None:
    """They are rejected as new passwords; at log-in they are compared unchanged."""
    with pytest.raises(ValueError):  # noqa: PT011
        opaque_string(password)
    assert comparable(password) == password


@given(ANY_TEXT)
def test_preparing_passwords_is_idempotent(password: str) -> None:
    """Preparing a prepared password changes nothing."""
    try:
        prepared = opaque_string(password)
    except ValueError:
        return
    assert opaque_string(prepared) == prepared


def test_control_characters_are_detected() -> None:
    """Line breaks and tabs are allowed in multi-line texts only."""
    assert has_control_characters("a\nb", multiline=False)
    assert not has_control_characters("a\n\t\rb", multiline=True)
    assert has_control_characters("a\x1bb", multiline=True)
    assert has_control_characters("\ud800", multiline=True)
