"""The baseline's serializers, views, URLs and WSGI application."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.baseline.settings")

import django

django.setup()

from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import path
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.bench.baseline.models import Comment, Follow, Notification, Post, Reaction

KINDS = ("like", "love", "haha", "sad", "angry")


class UserSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ("id", "username", "first_name", "date_joined")


class PostSerializer(serializers.ModelSerializer):
    author = UserSerializer(source="user", read_only=True)
    comments_count = serializers.IntegerField(read_only=True)
    reactions = serializers.SerializerMethodField()
    my_reaction = serializers.SerializerMethodField()

    class Meta:
        model = Post
        fields = ("id", "author", "content", "is_private", "comments_count", "reactions", "my_reaction", "created_at")
        read_only_fields = ("created_at",)

    def get_reactions(self, post: Post) -> dict[str, int]:
        counts = dict.fromkeys(KINDS, 0)
        for reaction in post.reactions.all():
            counts[reaction.reaction_type] += 1
        return counts

    def get_my_reaction(self, post: Post) -> str | None:
        viewer = self.context["request"].user.id
        return next((r.reaction_type for r in post.reactions.all() if r.user_id == viewer), None)


class NotificationSerializer(serializers.ModelSerializer):
    actor = UserSerializer()

    class Meta:
        model = Notification
        fields = ("id", "message", "actor", "post_id", "is_read")


def visible(viewer: Any) -> "QuerySet[Post]":
    followed = Follow.objects.filter(follower_id=viewer.id, following_id=OuterRef("user_id"))
    posts = Post.objects.select_related("user").prefetch_related("reactions")
    posts = posts.annotate(comments_count=Count("comments", distinct=True))
    return posts.filter(Q(is_private=False) | Q(user_id=viewer.id) | Exists(followed))


class Feed(generics.ListAPIView):
    serializer_class = PostSerializer

    def get_queryset(self) -> "QuerySet[Post]":
        me = self.request.user
        circle = Follow.objects.filter(follower_id=me.id).values("following_id")
        return visible(me).filter(Q(user_id=me.id) | Q(user_id__in=circle)).order_by("-id")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response({"results": self.get_serializer(self.get_queryset()[:20], many=True).data})


class OnePost(generics.RetrieveAPIView):
    serializer_class = PostSerializer
    permission_classes = [IsAuthenticatedOrReadOnly]

    def get_queryset(self) -> "QuerySet[Post]":
        return visible(self.request.user)


class Posts(generics.CreateAPIView):
    serializer_class = PostSerializer

    def perform_create(self, serializer: Any) -> None:
        from django.utils import timezone

        serializer.instance = Post.objects.create(
            user=self.request.user, created_at=timezone.now(), **serializer.validated_data
        )


class Me(APIView):
    def get(self, request: Request) -> Response:
        return Response(UserSerializer(request.user).data)


class Notifications(generics.ListAPIView):
    serializer_class = NotificationSerializer

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = request.user.notifications.select_related("actor").order_by("-id")[:20]
        return Response({"results": self.get_serializer(rows, many=True).data})


class Search(generics.ListAPIView):
    serializer_class = PostSerializer

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if request.query_params.get("type") == "users":
            people = User.objects.filter(username__icontains=request.query_params["q"]).order_by("-id")[:20]
            return Response({"results": UserSerializer(people, many=True).data})
        rows = visible(request.user).filter(content__icontains=request.query_params["q"]).order_by("-id")[:20]
        return Response({"results": self.get_serializer(rows, many=True).data})


class React(APIView):
    def put(self, request: Request, pk: int) -> Response:
        kind = request.data["reaction_type"]
        Reaction.objects.update_or_create(post_id=pk, user=request.user, defaults={"reaction_type": kind})
        return Response(PostSerializer(visible(request.user).get(pk=pk), context={"request": request}).data)


urlpatterns = [
    path("v1/feed", Feed.as_view()),
    path("v1/posts/<int:pk>", OnePost.as_view()),
    path("v1/posts", Posts.as_view()),
    path("v1/posts/<int:pk>/reaction", React.as_view()),
    path("v1/auth/me", Me.as_view()),
    path("v1/notifications", Notifications.as_view()),
    path("v1/search", Search.as_view()),
]
application = get_wsgi_application()
__all__ = ["Comment", "application", "urlpatterns"]
