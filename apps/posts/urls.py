"""The paths of the posts context, under /v1."""

from django.urls import path

from apps.posts import views

urlpatterns = [
    path("posts", views.PostList.as_view()),
    path("posts/<id:post_id>", views.PostDetail.as_view()),
]
