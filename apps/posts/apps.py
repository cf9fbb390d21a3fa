"""The Django app of the posts context."""

from django.apps import AppConfig

from socialapp.calls import serve
from socialapp.contracts.posts import Posts
from socialapp.contracts.projections import Projections
from socialapp.contracts.records import Records


class PostsConfig(AppConfig):
    """Registers what posts serves to the other contexts."""

    name = "apps.posts"
    label = "posts"
    verbose_name = "Posts"

    def ready(self) -> None:
        """Serves `Posts` and bulk records."""
        from apps.posts.service import PostRecords, PostsProjections, PostsService

        serve(Posts, PostsService())
        serve(Records, PostRecords(), context="posts")
        serve(Projections, PostsProjections(), context="posts")
