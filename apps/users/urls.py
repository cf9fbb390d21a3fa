"""URL routes of the users context, under /v1."""

from django.urls import path

from apps.users import views

urlpatterns = [
    path("profiles", views.ProfileList.as_view()),
    path("profiles/me", views.OwnProfile.as_view()),
    path("profiles/suggestions", views.SuggestionList.as_view()),
    path("profiles/by-username/<str:username>", views.ProfileByUsername.as_view()),
    path("profiles/<id:user_id>", views.ProfileDetail.as_view()),
    path("profiles/<id:user_id>/follow", views.FollowView.as_view()),
    path("profiles/<id:user_id>/block", views.BlockView.as_view()),
    path("profiles/<id:user_id>/mute", views.MuteView.as_view()),
    path("profiles/<id:user_id>/relationship", views.RelationshipDetail.as_view()),
    path("profiles/<id:user_id>/followers", views.FollowersList.as_view()),
    path("profiles/<id:user_id>/following", views.FollowingList.as_view()),
    path("relationships", views.RelationshipList.as_view()),
    path("blocks", views.BlockList.as_view()),
    path("mutes", views.MuteList.as_view()),
    path("follow-requests", views.FollowRequestList.as_view()),
    path("follow-requests/<id:user_id>/accept", views.FollowRequestAccept.as_view()),
    path("follow-requests/<id:user_id>/reject", views.FollowRequestReject.as_view()),
]
