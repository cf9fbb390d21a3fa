"""Messages of the interface: every language has every key, with the same arguments, and code uses only known keys."""

import json
import re
from pathlib import Path

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
    """The names of the placeholders."""
    if ", plural," in message or ", select," in message:
        message = re.sub(r"([a-z]+|=\d+) \{[^{}]*\}", "", message)  # the alternatives
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


def test_the_language_menu_lists_all_languages() -> None:
    listed = (APP / "i18n" / "i18n.js").read_text().partition("LANGUAGES = {")[2].partition("}")[0]
    assert sorted(re.findall(r"^\s*(\w\w): ", listed, re.MULTILINE)) == LANGUAGES


def texts(source: str) -> list[str]:
    """Literal text in the templates of a module: content, and attributes that screen readers read."""
    found: list[str] = []
    inside: list[str] = []  # per template, its text so far; "" for braces of code
    at = 0
    while at < len(source):
        in_text = inside and inside[-1]
        if not in_text and source.startswith("html`", at):
            inside.append(" ")
            at += 4
        elif in_text and source[at] == "`":
            found.append(inside.pop())
        elif in_text and source.startswith("${", at):
            inside[-1] += "\0"
            inside.append("")
            at += 1
        elif in_text:
            inside[-1] += source[at]
        elif inside and source[at] == "{":
            inside.append("")
        elif inside and source[at] == "}":
            inside.pop()
        at += 1
    read_out = re.compile(r'(?:aria-label|title|placeholder|alt)="([^"]+)"')
    said = [word for part in found for word in read_out.findall(part)]
    said += [word for part in found for word in re.sub(r"<[^>]*>", "\0", part).split("\0")]
    return [word.strip() for word in said if re.search(r"[A-Za-z]{2}", word)]


def test_the_client_has_no_text_outside_the_messages() -> None:
    found = {
        (file.name, said)
        for file in APP.rglob("*.js")
        if "vendor" not in file.parts and file.name != "gallery.js"  # the gallery is for developers
        for said in texts(file.read_text())
    }
    assert found == set()
    shown = re.compile(r'\b(?:toast|setTitle)\(\s*["`]')
    assert [file.name for file in APP.rglob("*.js") if shown.search(file.read_text())] == ["gallery.js"]


def test_the_check_finds_text_outside_the_messages() -> None:
    source = 'const a = html`<p class="x" title="Two">One ${b ? html`<b>${t("k")} Three</b>` : { a: 1 }.a}</p>`;'
    assert sorted(texts(source)) == ["One", "Three", "Two"]


def test_documents_have_no_text_outside_the_messages() -> None:
    templates = Path(__file__).parents[2] / "web" / "templates" / "client"
    said = {
        (file.name, text.strip())
        for file in templates.glob("*.html")
        for text in re.findall(r">([^<>]+)<", re.sub(r"{[{%#].*?[}%#]}", "", file.read_text()))
        if re.search(r"[A-Za-z]{2}", text)
    }
    assert said == {("captcha.html", "Captcha")}
