"""The Django app of the moderation context."""

from django.apps import AppConfig

from socialapp.contracts.drift import DriftChecks
from socialapp.contracts.moderation import Moderation
from socialapp.rpc.calls import serve


class ModerationConfig(AppConfig):
    """Registers the services that moderation provides to the other contexts."""

    name = "apps.moderation"
    label = "moderation"
    verbose_name = "Moderation"

    def ready(self) -> None:
        """Serves the contracts."""
        from apps.moderation.service import ModerationDriftChecks, ModerationService

        serve(Moderation, implementation=ModerationService())
        serve(DriftChecks, implementation=ModerationDriftChecks(), context="moderation")
