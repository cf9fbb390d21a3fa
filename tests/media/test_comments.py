"""Pictures in comments have the comment's visibility and are deleted with it."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.comments.actions import hide_comment, remove_comment, restore_comment
from apps.comments.models import Comment
from apps.moderation.actions import dismiss_case, set_word_rule
from apps.moderation.models import Case
from apps.posts.actions import delete_unclaimed_media, use_in_comment
from apps.posts.actions.media import inspection
from apps.posts.models import Media, RefusedMedia
from socialapp.core.ids import new_id
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.media.conftest import animation, comment_with, is_served, path_of, picture, post_with, variants
from tests.moderation.conftest import enter, report

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

Upload = Callable[..., dict[str, Any]]


def test_a_picture_is_shown_and_deleted_with_its_comment(
    register: Callable[..., Person], upload: Upload, anonymous: JsonClient, drain: Callable[[], None]
) -> None:
    ann, bob = register("ann"), register("bob")
    post = post_with(ann)
    answer = comment_with(bob, post, upload(bob, picture((900, 700)), description="a kite"))
    assert answer.status_code == 201, answer.content
    [shown] = answer.json()["media"]
    assert (shown["type"], shown["description"], shown["sizes"]["small"]["width"]) == ("image", "a kite", 400)
    [listed] = anonymous.get(f"/v1/posts/{post['id']}/comments").json()["results"]
    [again] = anonymous.get(f"/v1/comments/{listed['id']}").json()["media"]
    assert listed["media"] == [again] == [shown]
    assert is_served(anonymous, shown["url"])
    assert not is_served(anonymous, shown["url"].partition("?")[0]), "the URL requires its signature"
    assert anonymous.get(f"/v1/posts/{post['id']}").json()["media"] == []
    assert bob.client.delete(f"/v1/media/{shown['id']}").status_code == 409
    assert bob.client.patch(f"/v1/media/{shown['id']}", {"description": "a red kite"}).status_code == 200
    assert bob.client.get(f"/v1/comments/{listed['id']}").json()["media"][0]["description"] == "a red kite"

    assert bob.client.delete(f"/v1/comments/{listed['id']}").status_code == 204
    assert not is_served(anonymous, shown["url"]), "immediately"
    drain()
    assert not Media.objects.exists()


def test_a_comment_rejects_invalid_media(register: Callable[..., Person], upload: Upload) -> None:
    ann, bob = register("ann"), register("bob")
    in_post = upload(ann)
    post = post_with(ann, in_post)
    one, two = upload(bob), upload(bob, picture((30, 30)))
    for media, code in (
        ([one, two], "media_too_many"),
        ([in_post], "media_unknown"),
        ([upload(bob, animation())], "media_not_ready"),
    ):
        refused = comment_with(bob, post, *media)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, code)
    own = comment_with(ann, post, in_post)
    assert (own.status_code, own.json()["errors"][0]["code"]) == (422, "media_in_use")
    assert not Comment.objects.exists()

    assert comment_with(bob, post, one).status_code == 201
    for place in (
        comment_with(bob, post, one),
        bob.client.post("/v1/posts", {"content": "again", "media_ids": [one["id"]]}),
        bob.client.patch("/v1/profiles/me", {"profile_picture_media_id": one["id"]}),
    ):
        assert (place.status_code, place.json()["errors"][0]["code"]) == (422, "media_in_use")


def test_media_urls_follow_the_visibility_of_the_comment_and_its_post(
    register: Callable[..., Person], upload: Upload, anonymous: JsonClient
) -> None:
    ann, bob = register("ann"), register("bob")
    post = post_with(ann)
    comment = comment_with(bob, post, upload(bob)).json()
    url = comment["media"][0]["url"]
    at = Comment.objects.get().created_at
    hide_comment(comment_id=int(comment["id"]), is_hidden=True, at=at)
    assert not is_served(anonymous, url)
    [own] = bob.client.get(f"/v1/posts/{post['id']}/comments").json()["results"]
    assert own["withheld"] == "hidden"
    assert is_served(bob.client, own["media"][0]["url"]), "its author can still see it"
    hide_comment(comment_id=int(comment["id"]), is_hidden=False, at=at.replace(year=at.year + 1))
    assert is_served(anonymous, url)

    remove_comment(comment_id=int(comment["id"]), action_id=7)
    assert not is_served(anonymous, url)
    assert anonymous.get(path_of(url)).json()["code"] == "not_found"
    restore_comment(comment_id=int(comment["id"]), action_id=7)
    assert is_served(anonymous, url)
    assert ann.client.delete(f"/v1/posts/{post['id']}").status_code == 204
    assert not is_served(anonymous, url)
    assert not Media.objects.exists()


def test_a_picture_can_be_reused_if_its_comment_was_not_written(
    register: Callable[..., Person], upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = register("ann")
    post, media = post_with(ann), upload(ann)
    monkeypatch.setattr("apps.comments.actions.comments.MAX_DEPTH", 0)
    parent = comment_with(ann, post).json()
    deep = comment_with(ann, post, media, parent_comment_id=parent["id"])
    assert (deep.status_code, deep.json()["errors"][0]["code"]) == (422, "too_deep")
    written = comment_with(ann, post, media)
    assert written.status_code == 201

    # A process that is killed in between leaves media without a comment, which the sweep deletes.
    left = upload(ann, picture((50, 50)))
    where = {"user_id": int(ann.id), "post_id": int(post["id"]), "media_id": int(left["id"])}
    use_in_comment(comment_id=new_id(), **where)
    assert delete_unclaimed_media() == 0, "the comment may still be written"
    monkeypatch.setattr(inspection, "_YOUNG", -inspection._YOUNG)
    assert delete_unclaimed_media() == 1
    assert [str(row.id) for row in Media.objects.all()] == [media["id"]]


def test_the_picture_of_a_held_comment_is_visible_to_its_author_only(
    register: Callable[..., Person], upload: Upload, anonymous: JsonClient, drain: Callable[[], None]
) -> None:
    ann, bob = register("ann"), register("bob")
    post = post_with(ann)
    set_word_rule(moderator_id=900, pattern="casino", effect="hold", is_active=True)
    made = comment_with(bob, post, upload(bob), content="my casino").json()
    assert made["withheld"] == "waiting"
    assert is_served(anonymous, made["media"][0]["url"]), "the author's URL works"
    drain()
    assert anonymous.get(f"/v1/posts/{post['id']}/comments").json()["results"] == []
    dismiss_case(moderator_id=900, case_id=Case.objects.get().id, reason="fine")
    drain()
    [shown] = anonymous.get(f"/v1/posts/{post['id']}/comments").json()["results"][0]["media"]
    assert is_served(anonymous, shown["url"])


def test_a_moderator_can_refuse_a_picture_on_the_page_of_a_case(
    register: Callable[..., Person], upload: Upload, anonymous: JsonClient, drain: Callable[[], None]
) -> None:
    ann, bob, eve = register("ann"), register("bob"), register("eve")
    original, copy = variants()
    post = post_with(ann)
    comment = comment_with(bob, post, upload(bob, original)).json()
    drain()
    report(ann, "comment", comment["id"])
    case = Case.objects.get()
    page = f"/admin/moderation/case/{case.id}/"
    browser = enter(register("judy"), "moderator")
    seen = browser.get(f"{page}change/").content.decode()
    assert comment["media"][0]["id"] in seen
    assert browser.post(f"{page}refuse/", {"media_id": "12"}).status_code == 302
    assert not RefusedMedia.objects.exists(), "the media is not part of this case"
    assert browser.post(f"{page}refuse/", {"media_id": comment["media"][0]["id"]}).status_code == 302
    drain()
    assert not is_served(anonymous, comment["media"][0]["url"])
    assert anonymous.get(f"/v1/comments/{comment['id']}").status_code == 404
    assert upload(eve, copy)["error"] == "This content was removed by moderators before."
