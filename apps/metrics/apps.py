"""The Django app of the metrics context."""

from django.apps import AppConfig

from socialapp.calls import serve
from socialapp.contracts.metrics import Metrics
from socialapp.contracts.projections import Projections


class MetricsConfig(AppConfig):
    """Registers what metrics serves to the other contexts."""

    name = "apps.metrics"
    label = "metrics"
    verbose_name = "Metrics"

    def ready(self) -> None:
        """Answers the `Metrics` contract."""
        from apps.metrics.service import MetricsProjections, MetricsService

        serve(Metrics, MetricsService())
        serve(Projections, MetricsProjections(), context="metrics")
