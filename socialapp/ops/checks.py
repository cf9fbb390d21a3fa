"""Django system checks for `manage.py check --deploy`: settings that would make a server unsafe."""

from collections.abc import Iterable
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register

from socialapp.ops.diagnostics import settings_findings


@register(Tags.security, deploy=True)
def check_safety(app_configs: Iterable[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Reports every unsafe setting as an error."""
    return [
        Error(finding.problem, hint=finding.remedy, id=f"socialapp.{finding.code}") for finding in settings_findings()
    ]
