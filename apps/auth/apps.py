"""The Django app of the auth context."""

from django.apps import AppConfig


class AuthConfig(AppConfig):
    """Registers what auth serves to the other contexts."""

    name = "apps.auth"
    label = "identity"
    verbose_name = "Auth"
