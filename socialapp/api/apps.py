"""The Django app of the API kernel: its idempotency table exists in every context's database."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Idempotency keys live beside the writes that they protect."""

    name = "socialapp.api"
    label = "api"
    verbose_name = "API"
