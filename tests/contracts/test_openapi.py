"""The running server responds as its OpenAPI document says, to valid and invalid requests."""

from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis import Case
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.scenarios.conftest import product  # noqa: F401  (the started product)
from tests.scenarios.product import Member, Product

CHECKS: list[CheckFunction] = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance
]  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]
# These would end the test's own session.
ENDS_THE_SESSION = ("/v1/auth/logout", "/v1/auth/password/change", "/v1/auth/sessions/{session_id}", "/v1/auth/totp")


@pytest.fixture(scope="module")
def member(product: Product) -> Member:  # noqa: F811
    return product.join("fuzz")


schema = (
    schemathesis.openapi.from_path(ROOT / "docs" / "openapi.yaml")
    .exclude(path=list(ENDS_THE_SESSION))
    .exclude(path="/v1/auth/me", method="DELETE")
)


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Does nothing: the product is shared, so its Redis is not emptied."""


@schema.parametrize()
@hypothesis.settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_every_operation_conforms_to_the_schema(case: Case[Any], product: Product, member: Member) -> None:  # noqa: F811
    if case.headers:
        case.headers.pop("Host", None)  # a malformed one is answered by the gateway's HTTP parser, in plain text
    response = case.call(base_url=product.url, headers={"Authorization": f"Bearer {member.access}"})
    case.validate_response(response, checks=CHECKS)
