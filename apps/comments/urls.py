"""URL routes of the comments context, under /v1."""

from django.urls import URLPattern, path

from apps.comments import views

urlpatterns: list[URLPattern] = [
    path("posts/<id:post_id>/comments", views.PostCommentsView.as_view()),
    path("comments", views.CommentsView.as_view()),
    path("comments/<id:comment_id>", views.CommentView.as_view()),
    path("comments/<id:comment_id>/replies", views.RepliesView.as_view()),
]
