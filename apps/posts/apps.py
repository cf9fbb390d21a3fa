"""The Django app of the posts context."""

from django.apps import AppConfig

from socialapp.contracts.bulk import BulkTransfer, PopulationTables
from socialapp.contracts.drift import DriftChecks
from socialapp.contracts.posts import Posts
from socialapp.rpc.calls import serve


class PostsConfig(AppConfig):
    """Registers the services that posts provides to the other contexts."""

    name = "apps.posts"
    label = "posts"
    verbose_name = "Posts"

    def ready(self) -> None:
        """Serves the contracts."""
        from apps.posts.service import POPULATION, PostsBulkTransfer, PostsDriftChecks, PostsService

        serve(Posts, implementation=PostsService())
        serve(BulkTransfer, implementation=PostsBulkTransfer(), context="posts")
        serve(DriftChecks, implementation=PostsDriftChecks(), context="posts")
        serve(PopulationTables, implementation=POPULATION, context="posts")
