"""URL routes of the metrics context, under /v1."""

from django.urls import URLPattern, path

from apps.metrics import views

urlpatterns: list[URLPattern] = [
    path("posts/<id:post_id>/metrics", views.PostMetricsView.as_view()),
    path("metrics/me", views.OwnMetricsView.as_view()),
]
