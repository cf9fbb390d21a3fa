"""The main scenarios: users join, follow, post, comment, react, get notifications, search, report, and leave."""

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.scenarios.product import PASSWORD, Product, eventually


def test_users_can_join_and_fill_in_a_profile(product: Product) -> None:
    ada = product.join("ada")
    answer = ada.patch("/v1/profiles/me", {"full_name": "Ada L.", "bio": "Analyst 🧮 שלום"})
    assert answer.status_code == 200
    seen = product.call("GET", f"/v1/profiles/{ada.id}").json()
    assert (seen["username"], seen["full_name"], seen["bio"]) == (ada.username, "Ada L.", "Analyst 🧮 שלום")
    assert "email" not in product.call("GET", f"/v1/users/{ada.id}").json()
    assert ada.get("/v1/auth/me").json()["email"] == f"{ada.username}@example.org"
    assert product.call("GET", f"/v1/profiles/by-username/{ada.username.upper()}").json()["id"] == ada.id


def test_logging_in_again_and_out(product: Product) -> None:
    ada = product.join("ada")
    answer = product.call("POST", "/v1/auth/login", {"login": ada.username, "password": PASSWORD})
    assert answer.status_code == 200
    session = answer.json()
    renewed = product.call("POST", "/v1/auth/refresh", {"refresh": session["refresh"]})
    assert renewed.status_code == 200
    again = product.call("POST", "/v1/auth/refresh", {"refresh": session["refresh"]})
    assert again.status_code == 200, "two tabs may refresh concurrently"
    renewed = product.call("POST", "/v1/auth/refresh", {"refresh": renewed.json()["refresh"]})
    assert renewed.status_code == 200
    reused = product.call("POST", "/v1/auth/refresh", {"refresh": session["refresh"]})
    assert reused.status_code == 401
    ended = product.call("POST", "/v1/auth/refresh", {"refresh": renewed.json()["refresh"]})
    assert ended.status_code == 401, "reusing an old token ends the session"
    assert product.call("GET", "/v1/auth/me", token=renewed.json()["access"]).status_code == 401
    assert product.call("POST", "/v1/auth/logout", {"refresh": ada.refresh}, token=ada.access).status_code == 204
    assert ada.get("/v1/auth/me").status_code == 401
    wrong = product.call("POST", "/v1/auth/login", {"login": ada.username, "password": "wrong" + PASSWORD})
    unknown = product.call("POST", "/v1/auth/login", {"login": "nobody-here", "password": PASSWORD})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
    assert wrong.json() == unknown.json(), "the response does not reveal which names exist"


def test_a_post_appears_in_followers_feeds_and_sockets(product: Product) -> None:
    ada, bob, eve = product.join("ada"), product.join("bob"), product.join("eve")
    assert bob.follow(ada)["following"] is True
    with bob.socket() as socket:
        post = ada.write("Hello #World, dear @" + bob.username)
        message = socket.next("notification")
        assert message["notification"]["kind"] in ("new_post", "mention")
        assert message["notification"]["target"] == {"type": "post", "id": post["id"], "url": f"/v1/posts/{post['id']}"}
        assert message["unread"] >= 1
    assert post["hashtags"] == ["world"]
    assert post["mentions"] == [{"id": bob.id, "username": bob.username}]
    assert eventually(lambda: post["id"] in bob.feed_ids())
    assert ada.feed_ids() == [post["id"]]
    assert eve.feed_ids() == []
    listed = eventually(lambda: bob.get("/v1/notifications").json()["results"])
    assert {item["kind"] for item in listed} <= {"new_post", "mention"}
    assert bob.post("/v1/notifications/read", {"up_to": listed[0]["id"]}).status_code == 200
    assert eventually(lambda: bob.get("/v1/notifications/unread-count").json() == {"count": 0})


def test_private_accounts_are_visible_to_accepted_followers_only(product: Product) -> None:
    ada, bob, eve = product.join("ada", is_private=True), product.join("bob"), product.join("eve")
    post = ada.write("only for friends", is_private=True)
    relation = bob.follow(ada)
    assert (relation["following"], relation["requested"]) == (False, True)
    assert bob.get(f"/v1/posts/{post['id']}").status_code == 404
    requests = ada.get("/v1/follow-requests").json()["results"]
    assert [profile["id"] for profile in requests] == [bob.id]
    assert ada.post(f"/v1/follow-requests/{bob.id}/accept").status_code == 200
    assert bob.get(f"/v1/posts/{post['id']}").status_code == 200
    assert eventually(lambda: bob.feed_ids() == [post["id"]])
    for stranger in (eve.get, lambda path: product.call("GET", path)):
        assert stranger(f"/v1/posts/{post['id']}").status_code == 404
        assert stranger(f"/v1/posts/{post['id']}/comments").status_code == 404
        assert stranger(f"/v1/posts/{post['id']}/reactions").status_code == 404
        assert stranger(f"/v1/profiles/{ada.id}").json()["posts_count"] == 0
    assert eventually(lambda: bob.get(f"/v1/profiles/{ada.id}").json()["posts_count"] == 1)


def test_threads_and_reactions(product: Product) -> None:
    ada, bob = product.join("ada"), product.join("bob")
    post = ada.write("what do you think?")
    first = bob.post(f"/v1/posts/{post['id']}/comments", {"content": "I like it"})
    assert first.status_code == 201
    reply = ada.post(f"/v1/posts/{post['id']}/comments", {"content": "thanks", "parent_comment_id": first.json()["id"]})
    assert (reply.status_code, reply.json()["depth"]) == (201, 1)
    listed = bob.get(f"/v1/posts/{post['id']}/comments?sort=top").json()["results"]
    assert [(item["id"], item["replies_count"]) for item in listed] == [(first.json()["id"], 1)]
    for kind in ("like", "love", "haha", "sad", "angry"):
        answer = bob.put(f"/v1/posts/{post['id']}/reaction", {"reaction_type": kind}).json()
        assert answer["my_reaction"] == kind
        assert {name: count for name, count in answer["reactions"].items() if count} == {kind: 1}
    seen = ada.get(f"/v1/posts/{post['id']}").json()
    assert (seen["comments_count"], seen["reactions"]["angry"], seen["my_reaction"]) == (2, 1, None)
    assert bob.delete(f"/v1/posts/{post['id']}/reaction").json()["my_reaction"] is None
    assert bob.put(f"/v1/comments/{reply.json()['id']}/reaction", {"reaction_type": "love"}).status_code == 200
    assert bob.delete(f"/v1/comments/{first.json()['id']}").status_code == 204
    tomb = ada.get(f"/v1/posts/{post['id']}/comments").json()["results"]
    assert [(item["author"], item["content"]) for item in tomb] == [(None, "")]
    kinds = eventually(lambda: {n["kind"] for n in ada.all_of("/v1/notifications")} >= {"reaction"} or None)
    assert kinds


def test_a_block_hides_both_from_each_other(product: Product) -> None:
    ada, bob = product.join("ada"), product.join("bob")
    bob.follow(ada)
    post = ada.write("hello")
    comment = bob.post(f"/v1/posts/{post['id']}/comments", {"content": "boo"}).json()
    assert ada.put(f"/v1/profiles/{bob.id}/block").status_code == 200
    assert bob.get(f"/v1/posts/{post['id']}").status_code == 404
    assert bob.get(f"/v1/profiles/{ada.id}").status_code == 404
    assert bob.feed_ids() == []
    assert bob.post(f"/v1/posts/{post['id']}/comments", {"content": "again"}).status_code == 404
    assert bob.put(f"/v1/posts/{post['id']}/reaction", {"reaction_type": "angry"}).status_code == 404
    assert bob.put(f"/v1/profiles/{ada.id}/follow").status_code == 404
    assert ada.get(f"/v1/comments/{comment['id']}").status_code == 404
    assert [item["id"] for item in ada.get("/v1/blocks").json()["results"]] == [bob.id]
    assert ada.delete(f"/v1/profiles/{bob.id}/block").status_code == 200
    assert bob.get(f"/v1/posts/{post['id']}").status_code == 200


def test_search_finds_only_visible_posts(product: Product) -> None:
    ada, bob, eve = product.join("ada"), product.join("bob"), product.join("eve")
    bob.follow(ada)
    word = f"xylo{ada.id}"
    public = ada.write(f"{word} in the open #tag{ada.id}")
    private = ada.write(f"{word} among friends", is_private=True)

    def found(call: httpx.Response) -> set[str]:
        assert call.status_code == 200, call.text
        return {result["item"]["id"] for result in call.json()["results"]}

    eventually(lambda: found(ada.get(f"/v1/search?q={word}&type=posts")) == {public["id"], private["id"]})
    eventually(lambda: found(bob.get(f"/v1/search?q={word}&type=posts")) == {public["id"], private["id"]})
    assert found(eve.get(f"/v1/search?q={word}&type=posts")) == {public["id"]}
    assert found(product.call("GET", f"/v1/search?q={word}&type=posts")) == {public["id"]}
    people = eventually(lambda: found(eve.get(f"/v1/search?q={ada.username}&type=users")))
    assert ada.id in people
    tagged = product.call("GET", f"/v1/hashtags/tag{ada.id}/posts").json()["results"]
    assert [post["id"] for post in tagged] == [public["id"]]


def test_a_repeated_idempotency_key_creates_one_post(product: Product) -> None:
    ada = product.join("ada")
    body = {"content": "once"}
    first = ada.post("/v1/posts", body, Idempotency_Key="k1")
    again = ada.post("/v1/posts", body, Idempotency_Key="k1")
    other = ada.post("/v1/posts", {"content": "twice"}, Idempotency_Key="k1")
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json() == again.json()
    assert len(ada.all_of(f"/v1/profiles/{ada.id}/posts")) == 1


def test_one_of_two_conflicting_edits_succeeds(product: Product) -> None:
    ada = product.join("ada")
    post = ada.write("first")
    tag = ada.get(f"/v1/posts/{post['id']}").headers["ETag"]
    assert ada.get(f"/v1/posts/{post['id']}", If_None_Match=tag).status_code == 304
    assert ada.patch(f"/v1/posts/{post['id']}", {"content": "second"}, If_Match=tag).status_code == 200
    assert ada.patch(f"/v1/posts/{post['id']}", {"content": "third"}, If_Match=tag).status_code == 412
    assert ada.get(f"/v1/posts/{post['id']}").json()["content"] == "second"
    history = ada.get(f"/v1/posts/{post['id']}/history").json()["results"]
    assert "first" in [version["content"] for version in history]


def test_reports_are_listed_to_their_reporter_only(product: Product) -> None:
    ada, bob = product.join("ada"), product.join("bob")
    post = ada.write("buy now")
    body = {"target_type": "post", "target_id": post["id"], "reason": "spam"}
    assert bob.post("/v1/reports", body).status_code == 201
    assert len(bob.get("/v1/reports").json()["results"]) == 1
    assert ada.get("/v1/reports").json()["results"] == []


def test_deleting_an_account_removes_all_its_data(product: Product) -> None:
    ada, bob = product.join("ada"), product.join("bob")
    bob.follow(ada)
    ada.follow(bob)
    post, other = ada.write(f"goodbye zz{ada.id}"), bob.write("my own")
    bob.post(f"/v1/posts/{post['id']}/comments", {"content": "stay!"})
    mine = ada.post(f"/v1/posts/{other['id']}/comments", {"content": "nice"}).json()
    ada.put(f"/v1/posts/{other['id']}/reaction", {"reaction_type": "love"})
    eventually(lambda: bob.get(f"/v1/search?q=zz{ada.id}&type=posts").json()["results"])
    refused = ada.delete("/v1/auth/me", {"password": "not it at all"})
    assert refused.status_code == 403
    answer = ada.delete("/v1/auth/me", {"password": PASSWORD})
    assert answer.status_code == 202
    assert ada.get("/v1/auth/me").status_code == 401
    assert bob.get(f"/v1/profiles/{ada.id}").status_code == 404
    assert bob.get(f"/v1/posts/{post['id']}").status_code == 404
    assert product.call("POST", "/v1/auth/login", {"login": ada.username, "password": PASSWORD}).status_code == 401
    erasure = answer.json()["erasure_id"]

    def erased() -> bool:
        state = product.call("GET", f"/v1/auth/erasures/{erasure}")
        assert state.status_code == 200, state.text
        return all(context["erased_at"] for context in state.json()["contexts"])

    eventually(erased, seconds=180)
    seen = bob.get(f"/v1/posts/{other['id']}").json()
    assert (seen["comments_count"], seen["reactions"]["love"]) == (0, 0)
    assert bob.get(f"/v1/comments/{mine['id']}").status_code == 404
    assert bob.get(f"/v1/search?q=zz{ada.id}&type=posts").json()["results"] == []
    assert bob.feed_ids() == [other["id"]]
    own = bob.get(f"/v1/profiles/{bob.id}").json()
    assert (own["followers_count"], own["following_count"]) == (0, 0)
    assert all(ada.id not in str(item) for item in bob.all_of("/v1/notifications"))
    verified = product.manage("erasure", "verify", erasure, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_socket_resumes_and_rejects_strangers(product: Product) -> None:
    ada, bob = product.join("ada"), product.join("bob")
    bob.follow(ada)
    with bob.socket() as socket:
        ada.write("one")
        first = socket.next("notification")
        cursor = first["notification"]["id"]
        socket.send(type="ping")
        socket.next("pong")
        socket.send(type="nonsense")
        socket.connection.send("not json")
        socket.send(type="ping")
        socket.next("pong")
    missed = []
    for unread, text in ((2, "two"), (3, "three")):  # one after the other: two workers may take them in any order
        missed.append(ada.write(text)["id"])
        eventually(lambda unread=unread: bob.get("/v1/notifications/unread-count").json() == {"count": unread})  # type: ignore[misc]
    with bob.socket() as socket:
        assert socket.ready["unread"] == 3
        socket.send(type="resume", after=cursor)
        got = [socket.next("notification")["notification"]["target"]["id"] for _ in missed]
        assert got == missed
        assert socket.quiet()
        socket.send(type="read", up_to=socket.ready["cursor"])
        assert socket.next("read")["unread"] == 0
    with pytest.raises(InvalidStatus), bob.socket(origin="https://evil.example"):
        pass
    bob.access = "not.a.token"
    with pytest.raises(ConnectionClosed) as closed, bob.socket():
        pass
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
