"""The Django app of the demo data, with the command that loads them."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """`manage.py demo`."""

    name = "socialapp.demo"
    label = "demo"
    verbose_name = "Demo data"
