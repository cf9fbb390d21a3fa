"""URL routes of the users context, under /v1."""

from django.urls import URLPattern, path

from apps.users import views

urlpatterns: list[URLPattern] = [
    path("profiles", views.ProfilesView.as_view()),
    path("profiles/me", views.OwnProfileView.as_view()),
    path("profiles/suggestions", views.SuggestionsView.as_view()),
    path("profiles/by-username/<str:username>", views.ProfileByUsernameView.as_view()),
    path("profiles/<id:user_id>", views.ProfileView.as_view()),
    path("profiles/<id:user_id>/follow", views.FollowView.as_view()),
    path("profiles/<id:user_id>/block", views.BlockView.as_view()),
    path("profiles/<id:user_id>/mute", views.MuteView.as_view()),
    path("profiles/<id:user_id>/relationship", views.RelationshipView.as_view()),
    path("profiles/<id:user_id>/followers", views.FollowersView.as_view()),
    path("profiles/<id:user_id>/following", views.FollowingView.as_view()),
    path("relationships", views.RelationshipsView.as_view()),
    path("blocks", views.BlocksView.as_view()),
    path("mutes", views.MutesView.as_view()),
    path("follow-requests", views.FollowRequestsView.as_view()),
    path("follow-requests/<id:user_id>/accept", views.AcceptFollowRequestView.as_view()),
    path("follow-requests/<id:user_id>/reject", views.RejectFollowRequestView.as_view()),
]
