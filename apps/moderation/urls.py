"""URL routes of the moderation context, under /v1."""

from django.urls import path

from apps.moderation.views import AppealsView, OwnActionsView, ReportsView, RulesView, TransparencyView

urlpatterns = [
    path("reports", ReportsView.as_view()),
    path("appeals", AppealsView.as_view()),
    path("moderation/actions", OwnActionsView.as_view()),
    path("moderation/rules", RulesView.as_view()),
    path("moderation/transparency", TransparencyView.as_view()),
]
