"""The Django app of operations: commands, system checks, periodic tasks, and metrics computed at each scrape."""

from django.apps import AppConfig

from socialapp.telemetry.metrics import add_collector


class OpsConfig(AppConfig):
    """Tools for operators."""

    name = "socialapp.ops"
    label = "ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Registers the system checks and the metrics of the backlog."""
        import socialapp.ops.checks  # noqa: F401  (registers them)
        from socialapp.ops.backlog import BacklogCollector

        add_collector(BacklogCollector())
