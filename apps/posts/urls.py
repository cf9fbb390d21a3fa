"""URL routes of the posts context, under /v1, and of media files."""

from django.urls import URLPattern, path

from apps.posts import views

urlpatterns: list[URLPattern] = [
    path("posts", views.PostsView.as_view()),
    path("posts/views", views.SeenPostsView.as_view()),
    path("posts/<id:post_id>/mute", views.PostMuteView.as_view()),
    path("explore", views.ExploreView.as_view()),
    path("posts/<id:post_id>", views.PostView.as_view()),
    path("posts/<id:post_id>/visibility", views.PostVisibilityView.as_view()),
    path("posts/<id:post_id>/history", views.PostHistoryView.as_view()),
    path("posts/<id:post_id>/bookmark", views.BookmarkView.as_view()),
    path("posts/<id:post_id>/repost", views.RepostView.as_view()),
    path("feed", views.FeedView.as_view()),
    path("profiles/<id:profile_id>/posts", views.AuthorPostsView.as_view()),
    path("hashtags/trending", views.TrendingHashtagsView.as_view()),
    path("hashtags/<str:tag>/posts", views.HashtagPostsView.as_view()),
    path("bookmarks", views.BookmarksView.as_view()),
    path("media", views.NewMediaView.as_view()),
    path("media/uploads", views.UploadsView.as_view()),
    path("media/<id:media_id>", views.MediaView.as_view()),
    path("media/<id:media_id>/upload", views.UploadView.as_view()),
    path("media/<id:media_id>/complete", views.CompleteUploadView.as_view()),
    path("media/<id:media_id>/content", views.UploadContentView.as_view()),
]

root_urlpatterns: list[URLPattern] = [
    path("media/links/<slug:url_key>/<str:file_name>", views.link_file),
    path("media/<id:media_id>/<str:file_name>", views.media_file),
]
