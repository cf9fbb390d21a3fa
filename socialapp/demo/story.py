"""A small installation to try: the characters of Les Misérables, who follow whom they meet in the novel.

`les_miserables.csv` says who appears with whom, and in how many chapters. Source: D. E. Knuth, The Stanford GraphBase
(1993). Everything goes through the public API, in process: with the same checks, actions and events as for any user.
"""

import csv
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from socialapp.demo import pictures
from socialapp.demo.texts import COMMENTS, POSTS, WITH_A_FILM, WITH_PICTURES

REACTIONS = ("like", "like", "like", "love", "love", "haha", "sad", "angry")
HERO = "Valjean"
_API = "http://127.0.0.1"
_OFTEN = 4  # chapters in which two meet
_ROUNDS = 2
_REACTIONS = 160
_COMMENTS = 80
_ADMIRERS = 12  # at most, of each picture
_PATIENCE = 60.0  # seconds to wait for the next upload to be processed; without a worker none ever is

Step = Callable[[], None]


class Meeting(NamedTuple):
    """Two characters who appear together, and in how many chapters."""

    one: str
    other: str
    chapters: int


@dataclass
class Cast:
    """The people of the story: their ids and tokens by name."""

    ids: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    posts: list[dict[str, Any]] = field(default_factory=list)
    faces: dict[str, str] = field(default_factory=dict)  # ids of media
    landscapes: list[str] = field(default_factory=list)
    film: str = ""


class Story:
    """Plays the story step by step, so that a progress bar can follow; the same seed gives the same story.

    If played again with the same password within a day, it continues where it was interrupted: existing people log in,
    and every write has an Idempotency-Key.
    """

    def __init__(self, *, password: str, seed: int = 1862, has_pictures: bool = True) -> None:
        from socialapp.wsgi import application

        self._api = httpx.Client(transport=httpx.WSGITransport(app=application), base_url=_API)
        self._random = random.Random(seed)  # noqa: S311
        self._password = password
        self._meetings = read_meetings()
        self._acquaintances = Counter(name for meeting in self._meetings for name in (meeting.one, meeting.other))
        self._written = 0
        self._has_pictures = has_pictures
        self._is_waiting = True
        self.cast = Cast()

    def steps(self) -> list[Step]:
        """Everything that happens, in order; later steps rely on earlier ones."""
        names = sorted(self._acquaintances, key=lambda name: (name != HERO, name))
        return [
            *(partial(self._join, name) for name in names),
            *(self._uploads(names) if self._has_pictures else ()),  # processed while the story continues
            *(partial(self._follow, who, whom) for who, whom in self._follows()),
            *(partial(self._write, text) for text in POSTS * _ROUNDS),
            *[self._react] * _REACTIONS,
            *[self._comment] * _COMMENTS,
            *(self._showings(names) if self._has_pictures else ()),
        ]

    def _uploads(self, names: list[str]) -> Iterator[Step]:
        yield from (partial(self._upload_face, name) for name in names)
        yield from (
            partial(self._upload_landscape, number) for number in range(sum(count for _, count in WITH_PICTURES))
        )
        yield self._upload_film

    def _showings(self, names: list[str]) -> Iterator[Step]:
        yield from (partial(self._show_face, name) for name in names)
        start = 0
        for text, count in WITH_PICTURES:
            yield partial(self._show_landscapes, text, start, count)
            start += count
        yield self._show_film

    def _follows(self) -> Iterator[tuple[str, str]]:
        """People who meet often follow each other; of two who hardly meet, one follows the other, mostly the more
        popular one."""
        for meeting in self._meetings:
            who, whom = sorted((meeting.one, meeting.other), key=self._acquaintances.__getitem__)
            yield who, whom
            if meeting.chapters >= _OFTEN:
                yield whom, who

    def _call(self, method: str, path: str, who: str | None, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {self.cast.tokens[who]}"} if who else {}
        if method == "POST" and who:
            self._written += 1
            headers["Idempotency-Key"] = f"les-miserables-{self._written}"
        answer = self._api.request(method, f"/v1{path}", json=body, headers=headers)
        answer.raise_for_status()
        return answer.json()

    def _upload(self, who: str, drawing: pictures.Drawing) -> str:
        self._written += 1
        answer = self._api.post(
            "/v1/media",
            files={"file": ("drawing", drawing.content)},
            data={"description": drawing.description},
            headers={
                "Authorization": f"Bearer {self.cast.tokens[who]}",
                "Idempotency-Key": f"les-miserables-{self._written}",
            },
        )
        answer.raise_for_status()
        return str(answer.json()["id"])

    def _upload_face(self, name: str) -> None:
        self.cast.faces[name] = self._upload(name, pictures.Drawing(pictures.face(name), f"Portrait of {name}"))

    def _upload_landscape(self, number: int) -> None:
        self.cast.landscapes.append(self._upload(self._painter(), pictures.landscape(number)))

    def _upload_film(self) -> None:
        self.cast.film = self._upload(self._painter(), pictures.film())

    def _painter(self) -> str:
        """The one who posts pictures: the person who meets most people, except the hero."""
        others = (name for name in sorted(self._acquaintances) if name != HERO)
        return max(others, key=self._acquaintances.__getitem__)

    def _is_ready(self, who: str, media_id: str) -> bool:
        """Waits until an upload is processed; returns whether it is. After one failed, it waits for no other."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            status = self._call("GET", f"/media/{media_id}", who, {})["status"]
            self._is_waiting = self._is_waiting and time.monotonic() < deadline
            if status != "processing" or not self._is_waiting:
                return bool(status == "ready")
            time.sleep(0.2)

    def _show_face(self, name: str) -> None:
        media_id = self.cast.faces[name]
        if self._is_ready(name, media_id):
            self._call("PATCH", "/profiles/me", name, {"profile_picture_media_id": media_id})

    def _show_landscapes(self, text: str, start: int, count: int) -> None:
        self._show(text, self.cast.landscapes[start : start + count])

    def _show_film(self) -> None:
        self._show(WITH_A_FILM, [self.cast.film])

    def _show(self, text: str, media_ids: list[str]) -> None:
        painter = self._painter()
        if all(self._is_ready(painter, media_id) for media_id in media_ids):
            post = self._call("POST", "/posts", painter, {"content": text, "media_ids": media_ids})
            for _ in range(_ADMIRERS):
                self._call("PUT", f"/posts/{post['id']}/reaction", self._somebody(), {"reaction_type": "love"})

    def _join(self, name: str) -> None:
        username = username_of(name)
        account = {"username": username, "email": f"{username}@demo.example", "password": self._password}
        try:
            made = self._call("POST", "/auth/register", None, {**account, "full_name": name})
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.CONFLICT:
                raise
            made = self._call("POST", "/auth/login", None, {"login": username, "password": self._password})
        self.cast.ids[name], self.cast.tokens[name] = made["user"]["id"], made["access"]

    def _follow(self, who: str, whom: str) -> None:
        self._call("PUT", f"/profiles/{self.cast.ids[whom]}/follow", who, {})

    def _somebody(self) -> str:
        # Those who meet many people talk more, as in the novel.
        names = sorted(self.cast.tokens)
        return self._random.choices(names, weights=[self._acquaintances[name] for name in names])[0]

    def _write(self, text: str) -> None:
        body = {"content": text, "is_private": self._random.random() < 0.05}
        self.cast.posts.append(self._call("POST", "/posts", self._somebody(), body))

    def _public_post(self) -> dict[str, Any]:
        return self._random.choice([post for post in self.cast.posts if not post["is_private"]])

    def _react(self) -> None:
        path = f"/posts/{self._public_post()['id']}/reaction"
        self._call("PUT", path, self._somebody(), {"reaction_type": self._random.choice(REACTIONS)})

    def _comment(self) -> None:
        post = self._public_post()
        parent = post.setdefault("_last_comment", None) if self._random.random() < 0.4 else None
        body = {"content": self._random.choice(COMMENTS), **({"parent_comment_id": parent} if parent else {})}
        post["_last_comment"] = self._call("POST", f"/posts/{post['id']}/comments", self._somebody(), body)["id"]


def read_meetings() -> list[Meeting]:
    """Who meets whom in the novel, in alphabetical order."""
    with Path(__file__).with_name("les_miserables.csv").open(encoding="utf-8", newline="") as file:
        return [Meeting(row["one"], row["other"], int(row["chapters"])) for row in csv.DictReader(file)]


def username_of(name: str) -> str:
    """The username of a character."""
    return "".join(char for char in name.lower() if char.isascii() and char.isalnum()).ljust(3, "_")


def new_password() -> str:
    """A password for the demo accounts that nobody can guess."""
    return secrets.token_urlsafe(9)
