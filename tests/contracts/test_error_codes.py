"""All problem codes follow one naming rule and are listed in docs/errors.md."""

import re
from collections import defaultdict

from socialapp.core.errors import PROBLEMS
from tests.architecture.source_files import ROOT
from tests.contracts.error_codes import raised_codes
from tests.security.routes import document, operations

WORDS = re.compile(r"[a-z]+(_[a-z]+)*")
ARTICLES = re.compile(r"(^|_)(a|an|the)(_|$)")


def test_codes_are_words_without_articles() -> None:
    odd = [found for found in raised_codes() if not WORDS.fullmatch(found[1]) or ARTICLES.search(found[1])]
    assert odd == []


def test_missing_and_hidden_objects_have_the_same_code() -> None:
    assert [found for found in raised_codes() if found[0] == 404] == [], "404 is always not_found"


def test_a_code_belongs_to_one_status() -> None:
    statuses: dict[str, set[int]] = defaultdict(set)
    for status, code, _ in raised_codes():
        statuses[code].add(status)
    for status, kind in PROBLEMS.items():
        statuses[kind.default_code].add(status)
    assert {code: found for code, found in statuses.items() if len(found) > 1} == {}


def test_the_documentation_lists_exactly_the_existing_codes() -> None:
    page = (ROOT / "docs/errors.md").read_text()
    listed = {(int(status), code) for status, code in re.findall(r"^\| (\d{3}) \| `(\w+)` \|", page, re.MULTILINE)}
    raised = {(status, code) for status, code, _ in raised_codes()}
    assert listed == raised | {(status, kind.default_code) for status, kind in PROBLEMS.items()}


def test_every_operation_declares_its_errors_as_problems() -> None:
    """All with one schema: clients need only `status` and `code`."""
    problem = document()["components"]["schemas"]["ProblemBody"]
    assert {"type", "title", "status", "detail", "code", "errors"} <= set(problem["properties"])
    for operation in operations():
        for status, answer in operation.spec["responses"].items():
            if status.startswith(("4", "5")):
                assert list(answer["content"]) == ["application/problem+json"], (operation.name, status)
