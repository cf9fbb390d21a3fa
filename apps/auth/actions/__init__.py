"""What changes accounts, sign-ins and erasures; the only callers of publish()."""

from apps.auth.actions.accounts import (
    apply_sanction,
    change_account,
    create_admin,
    grant_role,
    prepare_account,
    register_user,
    revoke_role,
    verify_email,
)
from apps.auth.actions.credentials import change_password, reset_password
from apps.auth.actions.erasures import acknowledge_erasure, delete_account, erase_account, repeat_unfinished_erasures
from apps.auth.actions.exports import build_due_exports, delete_expired_exports, open_archive, request_export
from apps.auth.actions.mails import request_password_reset, request_verification, send_due_mails
from apps.auth.actions.names import NewAccount
from apps.auth.actions.records import load_users
from apps.auth.actions.sessions import (
    Device,
    SignedIn,
    delete_old_sessions,
    demand_staff_code,
    end_session,
    end_sessions_of,
    log_in,
    log_out,
    rotate_refresh_token,
)
from apps.auth.actions.social import SocialProfile, authorize, fetch_profile, sign_in_social
from apps.auth.actions.totp import TotpSecret, confirm_totp, remove_totp, start_totp

__all__ = [
    "Device",
    "NewAccount",
    "SignedIn",
    "SocialProfile",
    "TotpSecret",
    "acknowledge_erasure",
    "apply_sanction",
    "authorize",
    "build_due_exports",
    "change_account",
    "change_password",
    "confirm_totp",
    "create_admin",
    "delete_account",
    "delete_expired_exports",
    "delete_old_sessions",
    "demand_staff_code",
    "end_session",
    "end_sessions_of",
    "erase_account",
    "fetch_profile",
    "grant_role",
    "load_users",
    "log_in",
    "log_out",
    "open_archive",
    "prepare_account",
    "register_user",
    "remove_totp",
    "repeat_unfinished_erasures",
    "request_export",
    "request_password_reset",
    "request_verification",
    "reset_password",
    "revoke_role",
    "rotate_refresh_token",
    "send_due_mails",
    "sign_in_social",
    "start_totp",
    "verify_email",
]
