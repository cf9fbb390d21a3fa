"""URL routes of the metrics context, under /v1."""

from django.urls import path

from apps.metrics.views import OwnMetricsView, PostMetricsView

urlpatterns = [
    path("posts/<id:post_id>/metrics", PostMetricsView.as_view()),
    path("metrics/me", OwnMetricsView.as_view()),
]
