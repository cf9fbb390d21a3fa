"""The paths of the moderation context, under /v1."""

from django.urls import path

from apps.moderation.views import AppealsView, OwnActionsView, ReportsView

urlpatterns = [
    path("reports", ReportsView.as_view()),
    path("appeals", AppealsView.as_view()),
    path("moderation/actions", OwnActionsView.as_view()),
]
