"""URL routes of the posts context, under /v1, and of media files."""

from django.urls import path

from apps.posts import views

urlpatterns = [
    path("posts", views.PostList.as_view()),
    path("posts/views", views.PostViews.as_view()),
    path("posts/<id:post_id>/mute", views.PostMute.as_view()),
    path("explore", views.Explore.as_view()),
    path("posts/<id:post_id>", views.PostDetail.as_view()),
    path("posts/<id:post_id>/visibility", views.PostVisibility.as_view()),
    path("posts/<id:post_id>/history", views.PostHistory.as_view()),
    path("posts/<id:post_id>/bookmark", views.PostBookmark.as_view()),
    path("posts/<id:post_id>/repost", views.PostRepost.as_view()),
    path("feed", views.Feed.as_view()),
    path("profiles/<id:profile_id>/posts", views.AuthorPosts.as_view()),
    path("hashtags/trending", views.TrendingHashtags.as_view()),
    path("hashtags/<str:tag>/posts", views.HashtagPosts.as_view()),
    path("bookmarks", views.Bookmarks.as_view()),
    path("media", views.MediaList.as_view()),
    path("media/uploads", views.MediaUploads.as_view()),
    path("media/<id:media_id>", views.MediaDetail.as_view()),
    path("media/<id:media_id>/upload", views.MediaUpload.as_view()),
    path("media/<id:media_id>/complete", views.MediaComplete.as_view()),
    path("media/<id:media_id>/content", views.MediaContent.as_view()),
]

root_urlpatterns = [
    path("media/links/<slug:url_key>/<str:file_name>", views.link_file),
    path("media/<id:media_id>/<str:file_name>", views.media_file),
]
