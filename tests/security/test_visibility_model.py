"""Nobody reads what is hidden from them, by any path: random actions of four users, checked against a small model.

Each post, comment, name and picture's description contains a unique word, so that one rule applies to every response of
any form: it does not contain a word that the model hides from the reader. Some paths, and sockets, must also show all
others. Every URL of a picture's file that anybody has read is tried again after everything that happens later.

Posts and comments mention people in capitals: a name in lower case was added by the product, not by the author.

Users read while events are pending, while Redis is unavailable or has lost data, by links of lists that they got
earlier, and as browsers do: after a 304 they use the response that they had before.
"""

import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from apps.auth.actions import approve_application, grant_role, reject_application
from apps.auth.models import Application
from apps.moderation import actions as moderation
from apps.moderation.models import Action
from apps.moderation.queries import Target
from apps.notifications.access import readers_of
from apps.notifications.actions import mails, pushes
from apps.notifications.actions.excerpts import load_excerpts
from apps.notifications.presenters import push_message
from apps.notifications.queries import newest_unread
from apps.posts.models import Media
from socialapp.contracts.users import CIRCLE
from socialapp.core.cache import redis_client
from socialapp.core.contexts import CONTEXTS
from socialapp.core.fragments import keys_of
from socialapp.lifecycle.data_export import ContextDataExport
from tests.conftest import ALL_CONTEXTS, JsonClient, deliver_outbox, refresh_index
from tests.security.visibility_rules import FILE, ORIGIN, Life, Network, Picture, Written

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PEOPLE = 4
PASSWORD = "correct horse battery"
NEXT = re.compile(r'"next":"http://testserver([^"]+)"')
DISCOVERY = re.compile(r"/v1/explore|/v1/profiles/suggestions|/sitemap\.xml|/explore|/$")
person = st.integers(0, PEOPLE - 1)


class Lives(RuleBasedStateMachine):
    """What four people, and a moderator, do to each other."""

    redis_down: Callable[[bool], None]

    @initialize()
    def people_join(self) -> None:
        self.kept: dict[tuple[int | None, str], tuple[str, str]] = {}  # viewer, path → ETag, answer
        self.links: dict[int | None, set[str]] = defaultdict(set)
        self.network = Network([*(self.join(f"p{number}") for number in range(PEOPLE - 1)), self.apply()])
        self.moderator = self.join("mod")
        deliver_outbox()
        grant_role(user_id=int(self.moderator.id), role="admin")
        answer = JsonClient().post("/v1/auth/login", {"login": self.moderator.name, "password": PASSWORD})
        self.moderator.client = JsonClient(answer.json()["access"])

    def join(self, prefix: str, **more: str) -> Life:
        name = f"{prefix}{secrets.token_hex(6)}"
        body = {"email": f"{name}@example.org", "password": PASSWORD, "username": name, **more}
        made = JsonClient().post("/v1/auth/register", body).json()
        return Life(made["user"]["id"], name, JsonClient(made.get("access")))

    def apply(self) -> Life:
        with override_settings(REGISTRATION="approval"):
            applicant = self.join("p", application="To see what is here.")
        applicant.state = "pending"
        return applicant

    # --- What they do

    @rule(who=person, whom=person)
    def follow(self, who: int, whom: int) -> None:
        answer = self.as_person(who, "PUT", f"/v1/profiles/{self.network.people[whom].id}/follow")
        if answer.status_code == 200 and (who, whom) not in self.network.follows:
            assert self.network.may_see_author(who, whom)
            (self.network.requests if self.network.people[whom].is_private else self.network.follows).add((who, whom))

    @rule(who=person, whom=person)
    def unfollow(self, who: int, whom: int) -> None:
        if self.as_person(who, "DELETE", f"/v1/profiles/{self.network.people[whom].id}/follow").status_code == 200:
            self.network.follows.discard((who, whom))
            self.network.requests.discard((who, whom))

    @precondition(lambda self: self.network.requests)
    @rule(data=st.data(), word=st.sampled_from(["accept", "accept", "reject"]))
    def answer_request(self, data: st.DataObject, word: str) -> None:
        who, whom = data.draw(st.sampled_from(sorted(self.network.requests)))
        answer = self.as_person(whom, "POST", f"/v1/follow-requests/{self.network.people[who].id}/{word}")
        if answer.status_code == 200:
            self.network.requests.discard((who, whom))
            if word == "accept":
                self.network.follows.add((who, whom))

    @rule(who=person, whom=person, is_block=st.booleans())
    def block_or_mute(self, who: int, whom: int, is_block: bool) -> None:
        verb = "block" if is_block else "mute"
        answer = self.as_person(who, "PUT", f"/v1/profiles/{self.network.people[whom].id}/{verb}")
        if answer.status_code == 200 and is_block:
            self.network.blocks.add((who, whom))
            for pairs in (self.network.follows, self.network.requests):
                pairs.difference_update({(who, whom), (whom, who)})

    @rule(who=person, whom=person)
    def unblock(self, who: int, whom: int) -> None:
        if self.as_person(who, "DELETE", f"/v1/profiles/{self.network.people[whom].id}/block").status_code == 200:
            self.network.blocks.discard((who, whom))

    @rule(who=person, is_private=st.booleans())
    def change_account(self, who: int, is_private: bool) -> None:
        if self.as_person(who, "PATCH", "/v1/profiles/me", {"is_private": is_private}).status_code != 200:
            return
        self.network.people[who].is_private = is_private
        if not is_private:
            opened = {pair for pair in self.network.requests if pair[1] == who}
            self.network.requests -= opened
            self.network.follows |= opened

    @rule(who=person, is_discoverable=st.booleans())
    def opt_out_or_in(self, who: int, is_discoverable: bool) -> None:
        answer = self.as_person(who, "PATCH", "/v1/profiles/me", {"is_discoverable": is_discoverable})
        if answer.status_code == 200:
            self.network.people[who].is_discoverable = is_discoverable

    @rule(who=person)
    def upload(self, who: int) -> None:
        """Has a picture converted, of which the gateway would send the files."""
        word = f"seen{secrets.token_hex(5)}"
        if not self.network.is_out(who):
            picture = converted_picture(int(self.network.people[who].id), word)
            self.network.pictures[str(picture.id)] = Picture(who, word)

    @rule(who=person, is_private=st.booleans(), mentioned=st.none() | person)
    def write(self, who: int, is_private: bool, mentioned: int | None) -> None:
        """Writes a post, with a picture if there is one that no post shows."""
        word = f"post{secrets.token_hex(5)}"
        name = "" if mentioned is None else f" @{self.network.people[mentioned].name.upper()}"
        unused = self.network.unused_pictures(who)
        body = {"content": f"{word} #news #tag{word}{name}", "is_private": is_private, "media_ids": unused}
        answer = self.as_person(who, "POST", "/v1/posts", body)
        if answer.status_code == 201:
            self.network.posts.append(Written(answer.json()["id"], who, word, is_private))
            for key in unused:
                self.network.pictures[key].post = self.network.posts[-1]
            for path in ("/v1/feed", f"/v1/profiles/{self.network.people[who].id}/posts"):
                assert word in self.network.people[who].client.get(path).content.decode(), (
                    "an author sees their own post at once"
                )

    @precondition(lambda self: self.network.posts)
    @rule(data=st.data(), who=person, mentioned=person)
    def take_part(self, data: st.DataObject, who: int, mentioned: int) -> None:
        """Comments on, reacts to, bookmarks and reposts a post: these succeed only for those who see it."""
        post = data.draw(st.sampled_from(self.network.posts))
        path = f"/v1/posts/{post.id}"
        self.settle()
        word = f"said{secrets.token_hex(5)}"
        unused = self.network.unused_pictures(who)
        body = {"content": f"{word} @{self.network.people[mentioned].name.upper()}", "media_ids": unused}
        answer = self.as_person(who, "POST", f"{path}/comments", body)
        if not self.network.is_out(who):
            assert answer.status_code == (201 if self.network.sees(who, post) else 404), answer.content
        if answer.status_code == 201:
            post.comments[answer.json()["id"]] = (who, word)
            for key in unused:
                self.network.pictures[key].post, self.network.pictures[key].is_in_comment = post, True
        for verb, sent in (("reaction", {"reaction_type": "like"}), ("bookmark", None), ("repost", None)):
            answer = self.as_person(who, "PUT", f"{path}/{verb}", sent)
            assert self.network.sees(who, post) or answer.status_code in (401, 404), (verb, answer.content)

    @precondition(lambda self: self.network.posts)
    @rule(data=st.data(), is_private=st.booleans())
    def change_post(self, data: st.DataObject, is_private: bool) -> None:
        post = data.draw(st.sampled_from(self.network.posts))
        if self.as_person(post.author, "PATCH", f"/v1/posts/{post.id}", {"is_private": is_private}).status_code == 200:
            post.is_private = is_private

    @rule(whom=person, kind=st.sampled_from([Action.Kind.BAN_USER, Action.Kind.SILENCE_USER]))
    def sanction(self, whom: int, kind: Action.Kind) -> None:
        life, name = self.network.people[whom], kind.value.removesuffix("_user")
        if life.state in ("pending", "erased"):
            return
        if name in life.sanctions:
            moderation.lift_action(
                moderator_id=int(self.moderator.id), action_id=life.sanctions.pop(name), reason="enough"
            )
        else:
            decision = moderation.Decision(reason="spam")
            made = moderation.sanction_user(
                kind, moderator_id=int(self.moderator.id), user_id=int(life.id), decision=decision
            )
            life.sanctions[name] = made.id
        self.settle()
        if name == "ban" and name not in life.sanctions:
            self.log_in(life)

    def log_in(self, life: Life) -> None:
        """Cancels the deletion of their account, if there is one."""
        answer = JsonClient().post("/v1/auth/login", {"login": life.name, "password": PASSWORD})
        life.client = JsonClient(answer.json()["access"])
        life.state = "active"

    @precondition(lambda self: any(life.state == "pending" for life in self.network.people))
    @rule(is_approved=st.sampled_from([True, True, False]))
    def decide_application(self, is_approved: bool) -> None:
        [applicant] = [life for life in self.network.people if life.state == "pending"]
        application_id = Application.objects.get(user_id=int(applicant.id)).id
        if is_approved:
            approve_application(application_id=application_id)
            self.log_in(applicant)
        else:
            reject_application(application_id=application_id)
            applicant.state = "erased"

    @rule(who=person, days=st.sampled_from([0, 14, 14]))
    def leave(self, who: int, days: int) -> None:
        """Deletes an account, at once or with a grace period: it is hidden at once."""
        with override_settings(ERASURE_GRACE_DAYS=days):
            answer = self.as_person(who, "DELETE", "/v1/auth/me", {"password": PASSWORD})
        if answer.status_code != 202:
            return
        self.network.people[who].state = "deactivated" if days else "erased"
        for post in self.network.posts if not days else []:
            if post.author == who:
                post.is_removed = post.is_deleted = True

    @precondition(lambda self: any(life.state == "deactivated" for life in self.network.people))
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        gone = [life for life in self.network.people if life.state == "deactivated" and "ban" not in life.sanctions]
        if gone:
            self.settle()
            self.log_in(data.draw(st.sampled_from(gone)))
            self.settle()

    @precondition(lambda self: self.network.posts)
    @rule(data=st.data(), removes=st.booleans())
    def moderate(self, data: st.DataObject, removes: bool) -> None:
        post = data.draw(st.sampled_from(self.network.posts))
        by = int(self.moderator.id)
        target = Target("post", int(post.id), int(self.network.people[post.author].id))
        self.settle()
        if post.is_removed:
            return
        if removes:
            moderation.remove_content(moderator_id=by, target=target, decision=moderation.Decision(reason="spam"))
            post.is_removed = True
        elif post.hidden_by is None:
            kind = Action.Kind.HIDE_CONTENT
            post.hidden_by = moderation.restrict_content(
                kind, moderator_id=by, target=target, decision=moderation.Decision(reason="spam")
            ).id
        else:
            moderation.lift_action(moderator_id=by, action_id=post.hidden_by, reason="enough")
            post.hidden_by = None
        self.settle()  # like a sanction, it takes effect with its event

    @precondition(lambda self: self.network.posts)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        post = data.draw(st.sampled_from(self.network.posts))
        if self.as_person(post.author, "DELETE", f"/v1/posts/{post.id}").status_code == 204:
            post.is_removed = post.is_deleted = True

    @rule(is_unavailable=st.booleans())
    def redis_goes_or_comes(self, is_unavailable: bool) -> None:
        """It comes back with what it held before: nobody could tell it of what has changed since."""
        self.redis_down(is_unavailable)

    @rule()
    def redis_loses_something(self) -> None:
        self.redis_down(False)
        if key := redis_client().randomkey():
            redis_client().delete(key)

    @rule(viewer=st.none() | person)
    def read(self, viewer: int | None) -> None:
        """With what is still on its way."""
        self.check_nothing_hidden(viewer)
        self.check_files()

    def as_person(self, who: int, method: str, path: str, body: Any = None) -> Any:
        """Asks for somebody; whoever is out is not let in, which is held elsewhere: `tests/auth`."""
        if self.network.is_out(who):
            return SimpleNamespace(status_code=401, content=b"")
        return self.network.people[who].client.request(method, path, body)

    def settle(self) -> None:
        self.redis_down(False)
        deliver_outbox()
        refresh_index()

    # --- What they read

    def look(self) -> None:
        """All users read all paths, at the end of each sequence."""
        self.settle()
        for viewer in (None, *(who for who in range(PEOPLE) if not self.network.is_out(who))):
            self.check_nothing_hidden(viewer)
            self.check_complete(viewer, self.client_of(viewer))
            if viewer is not None:
                self.check_export(viewer)
                self.check_notifications(viewer)
        self.check_files()
        self.check_sockets()

    def client_of(self, viewer: int | None) -> JsonClient:
        return JsonClient() if viewer is None else self.network.people[viewer].client

    def check_nothing_hidden(self, viewer: int | None) -> None:
        if viewer is not None and self.network.is_out(viewer):
            assert self.network.people[viewer].client.get("/v1/feed").status_code == 401
            return
        hidden, unlisted = list(self.network.hidden_words(viewer)), list(self.network.unlisted_words())
        for path in (*self.paths(viewer), *sorted(self.links[viewer])):
            text = self.read_as_browser(viewer, path).replace(path, "")  # pages repeat their own address
            found = [word for word in (hidden + unlisted if DISCOVERY.match(path) else hidden) if word in text]
            assert not found, f"{viewer} reads {found} at {path}"

    def read_as_browser(self, viewer: int | None, path: str) -> str:
        etag, kept = self.kept.get((viewer, path), ("", ""))
        answer = self.client_of(viewer).get(path, **({"If_None_Match": etag} if etag else {}))
        assert answer.status_code < 500, (path, answer.content)
        if answer.status_code == 304:
            return kept
        text: str = answer.content.decode()
        self.kept[viewer, path] = (answer.headers.get("ETag", ""), text)
        self.links[viewer].update(NEXT.findall(text))
        for url in FILE.finditer(text):
            if url[1] in self.network.pictures:  # not one of an earlier sequence in the same database
                self.network.files[url[0]].add(viewer)
        return text

    def paths(self, viewer: int | None) -> Iterator[str]:
        yield from ("/v1/explore?limit=100", "/v1/explore?sort=trending", "/v1/hashtags/trending?limit=100")
        yield from ("/v1/search/suggest?q=tagpost", "/v1/search/suggest?q=p")
        yield from ("/v1/explore?limit=2", "/v1/search?q=news&type=posts&sort=relevance&limit=2")
        ids = ",".join(post.id for post in self.network.posts[-100:])
        yield f"/v1/posts?ids={ids}"
        yield f"/v1/profiles?ids={','.join(life.id for life in self.network.people)}"
        for post in self.network.posts:
            path = f"/v1/posts/{post.id}"
            yield from (path, f"{path}/comments", f"{path}/reactions", f"{path}/history")
            yield from (f"/v1/search?q={post.word}", f"/v1/search?q=%23tag{post.word}&type=hashtags")
            yield f"/v1/hashtags/tag{post.word}/posts"
            for comment in post.comments:
                yield from (f"/v1/comments/{comment}", f"/v1/comments/{comment}/reactions")
            yield f"/v1/comments?ids={','.join(post.comments)}"
        for life in self.network.people:
            yield from (f"/v1/profiles/{life.id}/{part}" for part in ("posts", "followers", "following"))
            yield from (f"/v1/profiles/{life.id}", f"/v1/users/{life.id}", f"/v1/search?q=from:{life.name}")
            yield from (f"/v1/search?q={life.name}&type=users", f"/v1/profiles/by-username/{life.name}")
        if viewer is not None:
            yield from (f"/v1/media/{key}" for key in self.network.pictures)
            yield f"/v1/relationships?ids={','.join(life.id for life in self.network.people)}"
            yield from ("/v1/blocks", "/v1/mutes", "/v1/moderation/actions")
            yield from ("/v1/feed?limit=100", "/v1/feed?limit=2", "/v1/bookmarks?limit=100", "/v1/follow-requests")
            yield from ("/v1/notifications?limit=100", "/v1/profiles/suggestions", "/v1/metrics/me")
        if viewer is None:  # documents have no viewer: they contain what everybody may read, even a blocked user
            yield from ("/sitemap.xml", "/", "/explore", "/hashtags/news", "/hashtags/news/feed.rss")
            for post in self.network.posts:
                yield from (f"/posts/{post.id}", f"/oembed?url={ORIGIN}/posts/{post.id}")
            for life in self.network.people:
                yield from (f"/@{life.name}", f"/@{life.name}/feed.rss", f"/@{life.name}/feed.atom")

    def check_complete(self, viewer: int | None, client: JsonClient) -> None:
        """What may be seen is there, once the circle that search last asked for has expired."""
        if viewer is not None:
            redis_client().delete(*keys_of(CIRCLE, ids=[int(self.network.people[viewer].id)]))
        visible = {post.id for post in self.network.posts if self.network.sees(viewer, post)}
        viewer_id = None if viewer is None else self.network.people[viewer].id
        for post in self.network.posts:
            answer = client.get(f"/v1/posts/{post.id}")
            assert answer.status_code == (200 if post.id in visible else 404)
            if post.id not in visible:
                continue
            assert all(is_sent(url[0]) for url in FILE.finditer(answer.content.decode())), post
            listed = client.get(f"/v1/posts/{post.id}/comments?limit=100").json()["results"]
            expected = {key for key, (who, _) in post.comments.items() if self.network.sees_comment(viewer, post, who)}
            assert {item["id"] for item in listed if item["author"]} == expected
            found = client.get(f"/v1/search?q={post.word}&type=posts").json()["results"]
            # content hidden by a moderator is in no index: its author has it in their own list
            assert [result["item"]["id"] for result in found] == ([post.id] if post.hidden_by is None else [])
            assert rule_shown(self.moderator.client, post.id, viewer_id=viewer_id) is True
        for post in self.network.posts:
            if post.id not in visible and not post.is_deleted:
                assert rule_shown(self.moderator.client, post.id, viewer_id=viewer_id) is False

    def check_files(self) -> None:
        for url in self.network.files:
            assert self.network.may_be_sent(url) or not is_sent(url), url

    def check_notifications(self, viewer: int) -> None:
        """Nobody is notified by people apart from them; what is counted is shown; mails and pushes say no more."""
        client = self.client_of(viewer)
        unread = client.get("/v1/notifications?unread=true&limit=100").json()["results"]
        assert client.get("/v1/notifications/unread-count").json()["count"] == len(unread)
        named = {actor["id"] for notification in unread for actor in notification["actors"]}
        apart = {life.id for who, life in enumerate(self.network.people) if self.network.are_apart(viewer, who)}
        assert not named & apart
        sent = messages_to(int(self.network.people[viewer].id))
        assert not [word for word in self.network.hidden_words(viewer) if word in sent]

    def check_export(self, viewer: int) -> None:
        """The export of a user's data contains nothing that others wrote, hidden or not."""
        others = [post.word for post in self.network.posts if post.author != viewer]
        others += [word for post in self.network.posts for who, word in post.comments.values() if who != viewer]
        user_id = int(self.network.people[viewer].id)
        for context in CONTEXTS:
            export = ContextDataExport(context)
            for table in export.tables():
                rows = "".join(export.rows(user_id=user_id, table=table, offset=0, limit=1000))
                assert not [word for word in others if word in rows], (context, table)

    def check_sockets(self) -> None:
        """The users whose open pages are updated about a post: exactly those who see it."""
        everybody = [int(life.id) for life in self.network.people]
        readers = readers_of({int(post.id): everybody for post in self.network.posts})
        for post in self.network.posts:
            allowed = {int(self.network.people[who].id) for who in range(PEOPLE) if self.network.sees(who, post)}
            out = {int(self.network.people[who].id) for who in range(PEOPLE) if self.network.is_out(who)}
            assert readers.get(int(post.id), set()) - out == allowed - out, post

    def teardown(self) -> None:
        if hasattr(self, "network"):
            self.look()


def converted_picture(user_id: int, description: str) -> Media:
    """An upload, as if it had been converted."""
    file = {"digest": secrets.token_hex(32), "extension": "webp", "width": 4, "height": 3}
    return Media.objects.create(
        user_id=user_id,
        status=Media.Status.READY,
        description=description,
        size=9,
        files={"large": file, "small": file},
        created_at=timezone.now(),
    )


def is_sent(url: str) -> bool:
    """Whether the file behind a URL is sent, to somebody without a token."""
    return bool(JsonClient().get(url.removeprefix(ORIGIN)).status_code == 200)


def messages_to(user_id: int) -> str:
    """What mails and pushes would say of somebody's unread notifications."""
    rows = newest_unread(user_id=user_id, limit=100)
    seen = pushes._visibilities(rows)
    excerpts = load_excerpts([(row, seen[row.id]) for row in rows if row.id in seen])
    sent = [
        push_message(row=row, visibility=seen[row.id], excerpt=excerpts.of(row), language="en")
        for row in rows
        if row.id in seen
    ]
    return repr([*sent, *mails._visible_items(user_id, rows, "en")])


def rule_shown(staff: JsonClient, post_id: str, *, viewer_id: str | None) -> bool:
    """What staff see about who sees a post."""
    answer = staff.get(f"/v1/posts/{post_id}/visibility{f'?viewer={viewer_id}' if viewer_id else ''}")
    shown: bool = answer.json()["visible"]
    return shown


@pytest.mark.usefixtures("caches")
def test_nobody_reads_what_is_hidden_from_them(
    redis_down: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.MEDIA_ACCEL = True  # the gateway would send the files
    monkeypatch.setattr(Lives, "redis_down", staticmethod(redis_down), raising=False)
    run_state_machine_as_test(
        Lives,
        settings=hypothesis_settings(
            max_examples=2,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take minutes
        ),
    )
