"""URL routes of the moderation context, under /v1."""

from django.urls import URLPattern, path

from apps.moderation import views

urlpatterns: list[URLPattern] = [
    path("reports", views.ReportsView.as_view()),
    path("appeals", views.AppealsView.as_view()),
    path("moderation/actions", views.OwnActionsView.as_view()),
    path("moderation/rules", views.RulesView.as_view()),
    path("moderation/transparency", views.TransparencyView.as_view()),
]
