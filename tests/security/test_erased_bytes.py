"""Erased data disappears from the disk too: databases, their logs, full-text segments, events, archives and mails."""

import secrets
from contextlib import suppress
from pathlib import Path

import httpx

from tests.run.installation import Installation, until
from tests.scenarios.product import eventually

PASSWORD = "correct horse battery"


def files_with(folder: Path, words: dict[str, str]) -> dict[str, list[str]]:
    """By word, the files of a folder that contain it, as bytes in any case."""
    read: dict[Path, bytes] = {}
    for path in folder.rglob("*"):
        if path.is_file() and "log" not in path.parts:
            with suppress(FileNotFoundError):  # the product deletes files meanwhile
                read[path] = path.read_bytes().lower()
    return {
        name: found
        for name, word in words.items()
        if (found := [str(path.relative_to(folder)) for path, text in read.items() if word.encode() in text])
    }


def test_no_file_contains_data_of_an_erased_user(installation: Installation) -> None:
    kinds = ("user", "mail", "full", "bio", "draft", "post", "tag", "deleted", "comment", "report", "second")
    words = {kind: f"z{kind}{secrets.token_hex(5)}" for kind in kinds}
    folder = Path(installation.environment["DATA_DIR"])
    with httpx.Client(base_url=f"{installation.url}/v1", timeout=30) as http:

        def join(username: str, address: str, **more: str) -> tuple[str, dict[str, str]]:
            body = {"username": username, "email": address, "password": PASSWORD, **more}
            answer = http.post("/auth/register", json=body)
            assert answer.status_code == 201, answer.text
            return answer.json()["user"]["id"], {"Authorization": f"Bearer {answer.json()['access']}"}

        def write(path: str, sender: dict[str, str], **body: str) -> str:
            answer = http.post(path, json=body, headers=sender)
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

        _, mine = join(words["user"], f"{words['mail']}@example.org", full_name=words["full"])
        other_name = f"other_{secrets.token_hex(4)}"
        other_id, others = join(other_name, f"{other_name}@example.org")
        http.patch("/profiles/me", json={"bio": words["bio"]}, headers=mine).raise_for_status()
        post_id = write("/posts", mine, content=f"{words['draft']} #{words['tag']} @{other_name}")
        http.patch(f"/posts/{post_id}", json={"content": f"{words['post']} #{words['tag']}"}, headers=mine)
        gone = write("/posts", mine, content=f"{words['deleted']} #{words['second']}")
        http.delete(f"/posts/{gone}", headers=mine).raise_for_status()
        foreign = write("/posts", others, content="kept by another")
        write(f"/posts/{foreign}/comments", mine, content=f"{words['comment']} @{other_name}")
        write("/reports", mine, target_type="post", target_id=foreign, reason="spam", details=words["report"])
        http.put(f"/profiles/{other_id}/follow", headers=mine).raise_for_status()
        http.post("/auth/password/forgot", json={"email": f"{words['mail']}@example.org"}).raise_for_status()
        http.post("/auth/confirm", json={"password": PASSWORD}, headers=mine).raise_for_status()
        http.post("/auth/me/export", headers=mine).raise_for_status()
        until(lambda: any("mail/" in found for found in files_with(folder, words)["mail"]), why="no mail")
        before = files_with(folder, words)
        assert before.keys() == words.keys(), "each word must be on the disk before the erasure"
        answer = http.request("DELETE", "/auth/me", json={"password": PASSWORD}, headers=mine)
        erasure = f"/auth/erasures/{answer.json()['erasure_id']}"
        until(lambda: http.get(erasure).json()["status"] == "complete", why="not erased")

        def nothing_is_left() -> bool:
            assert files_with(folder, words) == {}
            return True

        eventually(nothing_is_left)
        assert http.get(f"/posts/{foreign}").json()["content"] == "kept by another"
