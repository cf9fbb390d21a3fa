"""Loading the archive of an export into an account elsewhere: what is imported, skipped and rejected."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.auth.actions.archives import write_archive
from apps.comments.models import Comment
from apps.posts.models import Post
from apps.users.models import Follow, FollowRequest
from tests.conftest import ALL_CONTEXTS, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

_EARLIER = 1 << 40  # the range of another installation's ids


@pytest.fixture
def archive(register: Callable[..., Person], drain: Callable[[], int], tmp_path: Path) -> Path:
    """An export of alice, who is private and not discoverable, as if made by another installation."""
    alice, bob, erin = register("alice"), register("bob"), register("erin")
    own = {"full_name": "Alice Liddell", "bio": "Curious.", "is_private": True, "is_discoverable": False}
    alice.client.patch("/v1/profiles/me", own)
    erin.client.patch("/v1/profiles/me", {"is_private": True})
    for other in (bob, erin):
        alice.client.put(f"/v1/profiles/{other.id}/follow")
    drain()
    assert erin.client.post(f"/v1/follow-requests/{alice.id}/accept").status_code == 200
    mine = alice.client.post("/v1/posts", {"content": "mine"}).json()["id"]
    theirs = bob.client.post("/v1/posts", {"content": "theirs"}).json()["id"]
    first = alice.client.post(f"/v1/posts/{mine}/comments", {"content": "a comment"}).json()["id"]
    alice.client.post(f"/v1/posts/{mine}/comments", {"content": "a reply", "parent_comment_id": first})
    alice.client.post(f"/v1/posts/{theirs}/comments", {"content": "on theirs"})
    drain()
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as file:
        write_archive(file, user_id=int(alice.id))
    change(path, lambda name, row: {key: _of_elsewhere(name, key, value) for key, value in row.items()})
    return path


def _of_elsewhere(name: str, key: str, value: Any) -> Any:
    tables = ("auth/users.jsonl", "users/profiles.jsonl", "posts/posts.jsonl", "comments/comments.jsonl")
    ids = ("id", "user_id", "post_id", "parent_comment_id")
    return str(int(value) - _EARLIER) if name in tables and key in ids and value else value


def change(path: Path, changed: Callable[[str, dict[str, Any]], dict[str, Any]]) -> None:
    """Rewrites every row of an archive; other files become empty."""
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w") as file:
        for name, content in parts.items():
            rows = [changed(name, json.loads(line)) for line in content.splitlines()] if name.endswith(".jsonl") else []
            file.writestr(name, "".join(json.dumps(row) + "\n" for row in rows))


def load(path: Path, *options: str) -> dict[str, Any]:
    """Runs the command; returns its report."""
    out = io.StringIO()
    call_command("load", str(path), "--user", "carol", "--json", *options, stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def written(person: Person) -> tuple[list[tuple[str, bool]], list[str]]:
    """The posts and comments of the account."""
    posts = Post.objects.filter(user_id=int(person.id)).order_by("id").values_list("content", "is_private")
    comments = Comment.objects.filter(user_id=int(person.id)).order_by("id").values_list("content", flat=True)
    return list(posts), list(comments)


def test_profile_posts_comments_and_follows_are_imported_once(
    archive: Path, register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    carol = register("carol")
    drain()
    would = load(archive, "--dry-run")
    assert would == {
        "posts": 1,
        "comments": 2,
        "followed": 2,
        "left_out": {"the post of a comment is not here": 1},
        "dry_run": True,
    }
    assert (written(carol), Follow.objects.filter(follower_id=int(carol.id)).count()) == (([], []), 0)
    for _ in range(2):
        assert load(archive) == {**would, "dry_run": False}
        drain()
    assert written(carol) == ([("mine", True)], ["a comment", "a reply"])
    listed = carol.client.get(f"/v1/profiles/{carol.id}/posts").json()["results"]
    assert [post["content"] for post in listed] == ["mine"], "it is listed although it is older than the account"
    profile = carol.client.get(f"/v1/profiles/{carol.id}").json()
    assert (profile["full_name"], profile["bio"]) == ("Alice Liddell", "Curious.")
    assert (profile["is_private"], profile["is_discoverable"]) == (True, False)
    assert Follow.objects.filter(follower_id=int(carol.id)).count() == 1, "only bob is followed directly"
    assert FollowRequest.objects.filter(requester_id=int(carol.id)).count() == 1, (
        "erin is private and gets a follow request"
    )


def test_later_changes_are_kept(archive: Path, register: Callable[..., Person], drain: Callable[[], int]) -> None:
    carol = register("carol")
    carol.client.patch("/v1/profiles/me", {"full_name": "Carol"})
    drain()
    load(archive)
    post = Post.objects.get(user_id=int(carol.id))
    carol.client.patch(f"/v1/posts/{post.id}", {"content": "edited here"})
    load(archive)
    assert written(carol)[0] == [("edited here", True)]
    assert carol.client.get(f"/v1/profiles/{carol.id}").json()["full_name"] == "Carol"


def test_an_archive_cannot_write_as_other_users_or_overwrite_their_data(
    archive: Path, register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    carol, dave = register("carol"), register("dave")
    hidden = dave.client.post("/v1/posts", {"content": "for followers", "is_private": True}).json()["id"]
    drain()
    before = written(dave)

    def forged(name: str, row: dict[str, Any]) -> dict[str, Any]:
        if name == "posts/posts.jsonl":
            return {**row, "id": hidden}
        if name == "comments/comments.jsonl":
            return {**row, "post_id": hidden}
        return row

    change(archive, forged)
    report = load(archive)
    assert (report["posts"], report["comments"]) == (0, 0)
    change(archive, lambda name, row: {**row, "id": str(2**62)} if name == "posts/posts.jsonl" else row)
    assert load(archive)["left_out"]["a post: id lies in the future"] == 1
    assert (written(carol), written(dave)) == (([], []), before)


def test_a_bad_archive_is_rejected_with_one_line(
    archive: Path, register: Callable[..., Person], tmp_path: Path
) -> None:
    carol = register("carol")
    text, empty, damaged = tmp_path / "text.zip", tmp_path / "empty.zip", tmp_path / "damaged.zip"
    text.write_text("no archive")
    zipfile.ZipFile(empty, "w").close()
    damaged.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    for path in (text, empty, damaged, tmp_path / "absent.zip"):
        with pytest.raises(CommandError) as refused:
            load(path)
        assert len(str(refused.value).splitlines()) == 1, refused.value
    change(archive, lambda name, row: {} if name == "auth/users.jsonl" else row)
    with pytest.raises(CommandError, match="archive of one person"):
        load(archive)
    with pytest.raises(CommandError, match="no account"):
        call_command("load", str(archive), "--user", "nobody")
    assert written(carol) == ([], [])
