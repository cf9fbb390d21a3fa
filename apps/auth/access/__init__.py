"""Decides who may see which parts of an account, and which account a log-in belongs to."""

from apps.auth.access.accounts import require_no_block, visible_account
from apps.auth.access.exports import archive_key, check_archive_key
from apps.auth.access.instance import instance_rules
from apps.auth.access.logins import checked_email, login_key, lookup_key, resolve_account, user_by_login
from apps.auth.access.sign_ups import refuse_blocked_sign_up, refuse_username

__all__ = [
    "archive_key",
    "check_archive_key",
    "checked_email",
    "instance_rules",
    "login_key",
    "lookup_key",
    "refuse_blocked_sign_up",
    "refuse_username",
    "require_no_block",
    "resolve_account",
    "user_by_login",
    "visible_account",
]
