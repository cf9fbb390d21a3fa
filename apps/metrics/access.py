"""Decides who may read metrics."""

from socialapp.contracts.posts import Posts
from socialapp.core.errors import Forbidden, NotFound
from socialapp.rpc.calls import client


def check_author(*, viewer_id: int, post_id: int) -> None:
    """Forbidden for viewers of the post other than its author, NotFound for anybody who may not see it."""
    refs = client(Posts).refs(post_ids=[post_id])
    if refs and refs[0].author_id == viewer_id:
        return
    if refs and client(Posts).visible(viewer_id=viewer_id, post_ids=[post_id]):
        raise Forbidden("only the author may see the metrics of a post", code="not_author")
    raise NotFound("there is no such post")
