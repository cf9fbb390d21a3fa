"""The paths of the posts context, under /v1."""

from django.urls import path

from apps.posts import views

urlpatterns = [
    path("posts", views.PostList.as_view()),
    path("posts/<id:post_id>", views.PostDetail.as_view()),
    path("posts/<id:post_id>/history", views.PostHistory.as_view()),
    path("posts/<id:post_id>/bookmark", views.PostBookmark.as_view()),
    path("posts/<id:post_id>/repost", views.PostRepost.as_view()),
    path("feed", views.Feed.as_view()),
    path("profiles/<id:profile_id>/posts", views.AuthorPosts.as_view()),
    path("hashtags/trending", views.TrendingHashtags.as_view()),
    path("hashtags/<str:tag>/posts", views.HashtagPosts.as_view()),
    path("bookmarks", views.Bookmarks.as_view()),
]
