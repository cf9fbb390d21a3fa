"""The baseline's tables, with foreign keys between all of them."""

from django.contrib.auth.models import User
from django.db import models


class Follow(models.Model):
    """Who follows whom."""

    follower = models.ForeignKey(User, models.CASCADE, related_name="following")
    following = models.ForeignKey(User, models.CASCADE, related_name="followers")

    class Meta:
        app_label = "baseline"
        unique_together = (("follower", "following"),)


class Post(models.Model):
    """A post."""

    user = models.ForeignKey(User, models.CASCADE, related_name="posts")
    content = models.TextField()
    is_private = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        app_label = "baseline"


class Comment(models.Model):
    """A comment."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="comments")
    user = models.ForeignKey(User, models.CASCADE)
    content = models.TextField()

    class Meta:
        app_label = "baseline"


class Reaction(models.Model):
    """A reaction to a post."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="reactions")
    user = models.ForeignKey(User, models.CASCADE)
    reaction_type = models.CharField(max_length=8)

    class Meta:
        app_label = "baseline"
        unique_together = (("post", "user"),)


class Notification(models.Model):
    """A notification."""

    user = models.ForeignKey(User, models.CASCADE, related_name="notifications")
    actor = models.ForeignKey(User, models.CASCADE, related_name="+")
    post = models.ForeignKey(Post, models.CASCADE, null=True)
    message = models.CharField(max_length=200)
    is_read = models.BooleanField(default=False)

    class Meta:
        app_label = "baseline"
