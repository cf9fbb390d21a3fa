"""The Django app of the roles, with the command that starts them."""

from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    """`manage.py serve`."""

    name = "socialapp.runtime"
    label = "runtime"
    verbose_name = "Runtime"
