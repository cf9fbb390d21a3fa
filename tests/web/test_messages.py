"""Messages of the interface: every language has every key, with the same arguments, and code uses only known keys."""

import json
import re

import pytest

from web.assets import APP

ENGLISH: dict[str, str] = json.loads((APP / "i18n" / "en.json").read_text())
LANGUAGES = sorted(file.stem for file in (APP / "i18n").glob("*.json"))

PLURALS = {
    "ar": {"zero", "one", "two", "few", "many", "other"},
    "de": {"one", "other"},
    "en": {"one", "other"},
    "es": {"one", "many", "other"},
    "fr": {"one", "many", "other"},
    "ja": {"other"},
    "zh": {"other"},
}  # the categories of cardinal numbers, from CLDR


def arguments(message: str) -> set[str]:
    """The names of what is filled in."""
    if ", plural," in message or ", select," in message:
        message = re.sub(r"([a-z]+|=\d+) \{[^{}]*\}", "", message)  # the texts to choose from
    return set(re.findall(r"\{(\w+)(?:\}|, (?:plural|select),)", message))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_is_complete(language: str) -> None:
    messages = json.loads((APP / "i18n" / f"{language}.json").read_text())
    assert sorted(messages) == sorted(ENGLISH)
    assert {key for key in ENGLISH if arguments(messages[key]) != arguments(ENGLISH[key])} == set()
    assert {key for key, message in messages.items() if message.count("{") != message.count("}")} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plural_has_the_forms_of_its_language(language: str) -> None:
    messages = json.loads((APP / "i18n" / f"{language}.json").read_text())
    forms = {
        key: set(re.findall(r"([a-z]+) \{[^{}]*\}", message.partition(", plural,")[2]))
        for key, message in messages.items()
        if ", plural," in message
    }
    assert set(forms) == {key for key, message in ENGLISH.items() if ", plural," in message}
    assert {key: found for key, found in forms.items() if found != PLURALS[language]} == {}


def test_code_uses_known_keys() -> None:
    used = {
        key
        for file in APP.rglob("*.js")
        if "vendor" not in file.parts
        for key in re.findall(r'\bt\("([^"]+)"', file.read_text())
    }
    assert used - set(ENGLISH) == set()


def test_the_choice_of_languages_is_what_there_is() -> None:
    listed = (APP / "i18n" / "i18n.js").read_text().partition("LANGUAGES = {")[2].partition("}")[0]
    assert sorted(re.findall(r"^\s*(\w\w): ", listed, re.MULTILINE)) == LANGUAGES
