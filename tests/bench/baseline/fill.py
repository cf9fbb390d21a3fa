"""Fills the baseline like the product: `python -m tests.bench.baseline.fill PEOPLE POSTS COMMENTS REACTIONS`.

Prints {"access": token, "post": id} for the user that the bench acts as.
"""

import json
import sys
from collections import defaultdict
from datetime import datetime, timedelta

from tests.bench.baseline import app  # noqa: F401  (sets Django up, before any model is imported)

# isort: split
from django.contrib.auth.models import User
from django.db import connection
from rest_framework_simplejwt.tokens import AccessToken

from socialapp.demo.crowd import Crowd
from tests.bench.baseline.models import Comment, Follow, Notification, Post, Reaction


def main() -> None:
    """Creates the tables and the rows."""
    from django.core.management import call_command

    call_command("migrate", "auth", verbosity=0)
    with connection.schema_editor() as editor:
        for model in (Follow, Post, Comment, Reaction, Notification):
            editor.create_model(model)
    people, posts, comments, reactions = map(int, sys.argv[1:5])
    crowd = Crowd(people=people, posts=posts, comments=comments, reactions=reactions)
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    for kind, record in crowd.records(password_hash="!"):
        rows[kind].append(record)
    users = {r["id"]: number for number, r in enumerate(rows["user"], start=1)}  # Django's own users have 32-bit ids
    User.objects.bulk_create(User(id=users[r["id"]], username=r["username"]) for r in rows["user"])
    Follow.objects.bulk_create(
        Follow(follower_id=users[r["follower_id"]], following_id=users[r["following_id"]]) for r in rows["follow"]
    )
    Post.objects.bulk_create(
        [
            Post(
                id=int(r["id"]), user_id=users[r["user_id"]], content=r["content"],
                created_at=datetime.fromisoformat(r["created_at"]),
            )
            for r in rows["post"]
        ],
        batch_size=1000,
    )  # fmt: skip
    Comment.objects.bulk_create(
        Comment(id=int(r["id"]), post_id=int(r["post_id"]), user_id=users[r["user_id"]], content=r["content"])
        for r in rows["comment"]
    )
    Reaction.objects.bulk_create(
        [
            Reaction(post_id=int(r["post_id"]), user_id=users[r["user_id"]], reaction_type=r["reaction_type"])
            for r in rows["reaction"]
            if "post_id" in r
        ],
        ignore_conflicts=True,
    )
    me = User.objects.get(username=f"person{people - 1}")
    author = Follow.objects.filter(follower=me).values_list("following_id", flat=True)[0]
    last = Post.objects.order_by("-id")[:200]
    Notification.objects.bulk_create(
        Notification(user=me, actor_id=author, post=post, message="somebody posted") for post in last
    )
    token = AccessToken.for_user(me)
    token.set_exp(lifetime=timedelta(hours=2))
    sys.stdout.write(json.dumps({"access": str(token), "post": str(last[50].id)}) + "\n")


if __name__ == "__main__":
    main()
