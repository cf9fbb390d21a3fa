"""The documents that load the client, and its files: content, caching and security policy."""

import base64
import gzip
import hashlib
import json
import re
from typing import Any

import pytest

from tests.conftest import ALL_CONTEXTS, JsonClient
from web.assets import APP, Assets, assets

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def document(client: JsonClient, path: str = "/", status: int = 200, **headers: str) -> tuple[str, Any]:
    answer = client.get(path, Accept="text/html", **headers)
    assert answer.status_code == status, path
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    return answer.content.decode(), answer


def test_only_the_import_map_is_inline_and_its_hash_is_in_the_policy(anonymous: JsonClient) -> None:
    text, answer = document(anonymous)
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", text, re.DOTALL)
    assert len(inline) == 1
    digest = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()
    policy = answer["Content-Security-Policy"]
    assert f"script-src 'self' 'sha256-{digest}'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"<[^>]+\s(?:on\w+|style)=", text), "no inline handlers or styles"


def test_every_script_is_checked_against_its_hash(anonymous: JsonClient) -> None:
    text, _ = document(anonymous)
    inline = re.search(r'<script type="importmap">(.*?)</script>', text)
    assert inline
    integrity = json.loads(inline[1])["integrity"]
    for url, value in integrity.items():
        content = anonymous.get(url).content
        assert value == f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}", url
    assert all(url in integrity for url in json.loads(inline[1])["imports"].values())


def test_files_are_immutable_and_compressed(anonymous: JsonClient) -> None:
    files = assets()
    answer = anonymous.get(files.styles, Accept_Encoding="gzip, br")
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content) == anonymous.get(files.styles).content


def test_a_file_of_another_release_redirects_to_the_current_one(anonymous: JsonClient) -> None:
    answer = anonymous.get("/static/client/0123456789ab/main.js")
    assert (answer.status_code, answer["Location"]) == (302, assets().url("main.js"))
    assert answer["Cache-Control"] == "no-store"
    assert anonymous.get("/static/client/0123456789ab/nothing.js").status_code == 404


@pytest.mark.parametrize(
    "path", ["/static/client/0123456789ab/../assets.py", "/static/client/0123456789ab/..%2fassets.py"]
)
def test_no_other_files_are_served(anonymous: JsonClient, path: str) -> None:
    assert anonymous.get(path).status_code == 404


def test_a_change_of_any_file_changes_the_version(tmp_path: Any) -> None:
    import shutil

    shutil.copytree(APP, tmp_path / "app")
    before = Assets(tmp_path / "app").version
    assert before == assets().version
    (tmp_path / "app" / "boot.js").write_text("// changed\n")
    assert Assets(tmp_path / "app").version != before


@pytest.mark.parametrize(
    ("accepted", "language", "direction"),
    [
        ("de-AT,de;q=0.9", "de", "ltr"),
        ("tlh, de;q=0.5", "de", "ltr"),
        ("ar-EG,ar;q=0.9", "ar", "rtl"),
        ("zh-CN,zh;q=0.9", "zh", "ltr"),
        ("tlh", "en", "ltr"),
        ("", "en", "ltr"),
    ],
)
def test_the_document_uses_the_browsers_language(
    anonymous: JsonClient, accepted: str, language: str, direction: str
) -> None:
    text, answer = document(anonymous, Accept_Language=accepted)
    assert f'<html lang="{language}" dir="{direction}">' in text
    assert "Accept-Language" in answer["Vary"]


def test_an_unknown_path_returns_a_page_to_browsers_and_a_problem_to_others(anonymous: JsonClient) -> None:
    document(anonymous, "/nowhere/at/all", 404)
    answer = anonymous.get("/nowhere/at/all", Accept="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    for path in ("/v1/nowhere", "/internal/nowhere", "/health/nowhere"):
        answer = anonymous.get(path, Accept="text/html")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json"), path


@pytest.mark.parametrize("path", ["/comments/1", "/profiles/1"])
def test_addresses_by_id_have_a_document(anonymous: JsonClient, path: str) -> None:
    document(anonymous, path)


def test_the_captcha_frame_has_its_own_policy(anonymous: JsonClient, settings: Any) -> None:
    assert anonymous.get("/captcha").status_code == 404
    settings.CAPTCHA_PROVIDER, settings.CAPTCHA_SITE_KEY = "turnstile", 'key"><script>'
    text, answer = document(anonymous, "/captcha?language=de")
    assert '<html lang="de">' in text
    assert 'data-sitekey="key&quot;&gt;&lt;script&gt;"' in text
    assert "https://challenges.cloudflare.com/turnstile/v0/api.js" in text
    assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
