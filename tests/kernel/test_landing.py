"""The landing page: its links, in every mode of the product."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ALL_CONTEXTS, JsonClient

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def page(client: JsonClient) -> str:
    answer = client.get("/about")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_it_links_to_docs_admin_and_health(anonymous: JsonClient, settings: Any) -> None:
    settings.PUBLIC_URL = "https://social.example"
    shown = page(anonymous)
    for place in ("/v1/docs", "/v1/schema", "/admin/", "/health/ready"):
        assert f'href="{place}"' in shown
    assert "wss://social.example/ws/notifications/" in shown
    assert "https://social.example/v1" in shown
    assert "src=" not in shown, "nothing is loaded from other hosts, and no script runs"


def test_the_banner_is_shown_in_embedded_mode_only(anonymous: JsonClient, settings: Any) -> None:
    settings.EMBEDDED = True
    assert "For trying out" in page(anonymous)
    settings.EMBEDDED = False
    assert "For trying out" not in page(anonymous)


@pytest.mark.parametrize("noted", ["", "{", "[]", '{"username": "valjean"}'])
def test_without_a_demo_account_it_says_how_to_register(
    anonymous: JsonClient, settings: Any, tmp_path: Path, noted: str
) -> None:
    settings.EMBEDDED, settings.DATA_DIR = True, tmp_path
    if noted:
        (tmp_path / "demo.json").write_text(noted)
    assert "/auth/register" in page(anonymous)


def test_the_demo_account_is_shown_in_embedded_mode_only(anonymous: JsonClient, settings: Any, tmp_path: Path) -> None:
    settings.EMBEDDED, settings.DATA_DIR = True, tmp_path
    (tmp_path / "demo.json").write_text(json.dumps({"username": "valjean", "password": "24601 & <more>"}))
    shown = page(anonymous)
    assert "valjean" in shown
    assert "24601 &amp; &lt;more&gt;" in shown
    settings.EMBEDDED = False
    assert "24601" not in page(anonymous)
