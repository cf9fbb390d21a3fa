"""The Django app of the metrics context."""

from django.apps import AppConfig

from socialapp.contracts.bulk import PopulationTables
from socialapp.contracts.drift import DriftChecks
from socialapp.contracts.metrics import Metrics
from socialapp.rpc.calls import serve


class MetricsConfig(AppConfig):
    """Registers the services that metrics provides to the other contexts."""

    name = "apps.metrics"
    label = "metrics"
    verbose_name = "Metrics"

    def ready(self) -> None:
        """Serves the contracts."""
        from apps.metrics.service import POPULATION, MetricsDriftChecks, MetricsService

        serve(Metrics, implementation=MetricsService())
        serve(DriftChecks, implementation=MetricsDriftChecks(), context="metrics")
        serve(PopulationTables, implementation=POPULATION, context="metrics")
