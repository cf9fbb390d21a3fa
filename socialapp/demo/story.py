"""A small installation to try out: the characters of Les Misérables, following whom they meet in the novel.

The graph is networkx's `les_miserables_graph`: who appears with whom in a chapter. Source: D. E. Knuth, The Stanford
GraphBase (1993). Everything goes through the public API, in process: the same checks, actions and events as for
anybody.
"""

import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import networkx

from socialapp.demo.texts import COMMENTS, POSTS

REACTIONS = ("like", "like", "like", "love", "love", "haha", "sad", "angry")
_API = "http://127.0.0.1"

Step = Callable[[], None]


@dataclass
class Cast:
    """The people of the story: their ids and tokens by name."""

    ids: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    posts: list[dict[str, Any]] = field(default_factory=list)


class Story:
    """Tells the story step by step, so that a progress bar can follow; the same seed tells the same story."""

    def __init__(self, *, password: str, seed: int = 1862) -> None:
        from socialapp.wsgi import application

        self._api = httpx.Client(transport=httpx.WSGITransport(app=application), base_url=_API)
        self._random = random.Random(seed)  # noqa: S311
        self._password = password
        self._graph: networkx.Graph = networkx.les_miserables_graph()
        self.cast = Cast()

    def steps(self) -> Iterator[Step]:
        """Everything that happens, in order; later steps rely on earlier ones."""
        names = sorted(self._graph.nodes)
        for name in names:
            yield partial(self._join, name)
        for one, other in sorted(self._graph.edges):
            yield partial(self._follow, one, other)
            yield partial(self._follow, other, one)
        for text in POSTS * 3:
            yield partial(self._write, text)
        for _ in range(240):
            yield self._react
        for _ in range(120):
            yield self._comment

    def __len__(self) -> int:
        """How many steps there are."""
        return len(self._graph.nodes) + 2 * len(self._graph.edges) + 3 * len(POSTS) + 240 + 120

    def _call(self, method: str, path: str, who: str | None, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {self.cast.tokens[who]}"} if who else {}
        answer = self._api.request(method, f"/v1{path}", json=body, headers=headers)
        answer.raise_for_status()
        return answer.json()

    def _join(self, name: str) -> None:
        username = "".join(char for char in name.lower() if char.isascii() and char.isalnum()).ljust(3, "_")
        body = {
            "username": username,
            "email": f"{username}@demo.example",
            "password": self._password,
            "full_name": name,
        }
        made = self._call("POST", "/auth/register", None, body)
        self.cast.ids[name], self.cast.tokens[name] = made["user"]["id"], made["access"]

    def _follow(self, who: str, whom: str) -> None:
        self._call("PUT", f"/profiles/{self.cast.ids[whom]}/follow", who, {})

    def _somebody(self) -> str:
        # Those who meet many people talk more, as in the novel.
        names: list[str] = sorted(self._graph.nodes)
        return self._random.choices(names, weights=[self._graph.degree[name] for name in names])[0]

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


def new_password() -> str:
    """A password for the demo accounts that nobody can guess."""
    return secrets.token_urlsafe(9)
