"""The Django app of the metrics context."""

from django.apps import AppConfig


class MetricsConfig(AppConfig):
    """Registers what metrics serves to the other contexts."""

    name = "apps.metrics"
    label = "metrics"
    verbose_name = "Metrics"
