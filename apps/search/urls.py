"""URL routes of the search context, under /v1."""

from django.urls import URLPattern, path

from apps.search import views

urlpatterns: list[URLPattern] = [
    path("search", views.SearchView.as_view()),
    path("search/suggest", views.SuggestView.as_view()),
]
