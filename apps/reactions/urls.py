"""URL routes of the reactions context, under /v1."""

from django.urls import URLPattern, path

from apps.reactions import views

urlpatterns: list[URLPattern] = [
    path("posts/<id:post_id>/reaction", views.PostReactionView.as_view()),
    path("posts/<id:post_id>/reactions", views.PostReactionsView.as_view()),
    path("comments/<id:comment_id>/reaction", views.CommentReactionView.as_view()),
    path("comments/<id:comment_id>/reactions", views.CommentReactionsView.as_view()),
]
