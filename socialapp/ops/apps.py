"""The Django app of operations: commands, system checks, periodic tasks, and metrics counted when asked."""

from django.apps import AppConfig

from socialapp.telemetry.metrics import add_collector


class OpsConfig(AppConfig):
    """What operators use."""

    name = "socialapp.ops"
    label = "ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Registers the system checks and the backlog's metrics."""
        import socialapp.ops.checks  # noqa: F401  (registers them)
        from socialapp.ops.backlog import BacklogCollector

        add_collector(BacklogCollector())
