"""URL routes of the search context, under /v1."""

from django.urls import URLPattern, path

from apps.search.views import SearchView, SuggestView

urlpatterns: list[URLPattern] = [
    path("search", SearchView.as_view()),
    path("search/suggest", SuggestView.as_view()),
]
