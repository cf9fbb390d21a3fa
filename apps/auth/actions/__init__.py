"""What changes accounts, sessions and erasures; the only callers of publish()."""

from apps.auth.actions.accounts import (
    account_errors,
    apply_sanction,
    change_account,
    create_admin,
    demand_password_reset,
    grant_role,
    is_new_address,
    prepare_account,
    register_user,
    rename_account,
    revoke_role,
    verify_account,
    verify_email,
)
from apps.auth.actions.applications import apply_for_account, approve_application, reject_application
from apps.auth.actions.captcha import CHALLENGE_SECONDS, Challenge, check_captcha, new_challenge
from apps.auth.actions.certificates import read_certificate
from apps.auth.actions.confirmation import (
    SECOND_FACTORS,
    confirm_session,
    mail_confirmation_code,
    require_confirmation,
)
from apps.auth.actions.credentials import change_password, confirmed_user, reset_password
from apps.auth.actions.devices import DEVICE_DAYS, Device, device_token
from apps.auth.actions.erasures import (
    acknowledge_erasure,
    begin_due_erasures,
    delete_account,
    erase_account,
    repeat_unfinished_erasures,
)
from apps.auth.actions.exports import build_due_exports, delete_expired_exports, open_archive, request_export
from apps.auth.actions.invites import InviteState, check_invite, create_invite, invite_states, revoke_invite
from apps.auth.actions.keys import (
    KeyState,
    key_states,
    published_keys,
    retire_replaced_keys,
    rotate_keys,
    verification_keys,
)
from apps.auth.actions.logins import admit_to_site, log_in, log_in_social, log_in_with_passkey
from apps.auth.actions.mails import read_appeal_key, request_password_reset, request_verification, send_due_mails
from apps.auth.actions.names import NewAccount
from apps.auth.actions.passkeys import (
    add_passkey,
    begin_authentication,
    begin_registration,
    delete_old_challenges,
    remove_passkey,
)
from apps.auth.actions.records import load_users
from apps.auth.actions.second_factors import TotpSecret, confirm_totp, remove_totp, start_totp
from apps.auth.actions.sessions import (
    delete_old_sessions,
    end_other_sessions,
    end_session,
    end_sessions_of,
    log_out,
    rotate_refresh_token,
    start_site_session,
)
from apps.auth.actions.social import (
    SocialProfile,
    authorize,
    fetch_profile,
    link_provider,
    unlink_provider,
)

__all__ = [
    "CHALLENGE_SECONDS",
    "DEVICE_DAYS",
    "SECOND_FACTORS",
    "Challenge",
    "Device",
    "InviteState",
    "KeyState",
    "NewAccount",
    "SocialProfile",
    "TotpSecret",
    "account_errors",
    "acknowledge_erasure",
    "add_passkey",
    "admit_to_site",
    "apply_for_account",
    "apply_sanction",
    "approve_application",
    "authorize",
    "begin_authentication",
    "begin_due_erasures",
    "begin_registration",
    "build_due_exports",
    "change_account",
    "change_password",
    "check_captcha",
    "check_invite",
    "confirm_session",
    "confirm_totp",
    "confirmed_user",
    "create_admin",
    "create_invite",
    "delete_account",
    "delete_expired_exports",
    "delete_old_challenges",
    "delete_old_sessions",
    "demand_password_reset",
    "device_token",
    "end_other_sessions",
    "end_session",
    "end_sessions_of",
    "erase_account",
    "fetch_profile",
    "grant_role",
    "invite_states",
    "is_new_address",
    "key_states",
    "link_provider",
    "load_users",
    "log_in",
    "log_in_social",
    "log_in_with_passkey",
    "log_out",
    "mail_confirmation_code",
    "new_challenge",
    "open_archive",
    "prepare_account",
    "published_keys",
    "read_appeal_key",
    "read_certificate",
    "register_user",
    "reject_application",
    "remove_passkey",
    "remove_totp",
    "rename_account",
    "repeat_unfinished_erasures",
    "request_export",
    "request_password_reset",
    "request_verification",
    "require_confirmation",
    "reset_password",
    "retire_replaced_keys",
    "revoke_invite",
    "revoke_role",
    "rotate_keys",
    "rotate_refresh_token",
    "send_due_mails",
    "start_site_session",
    "start_totp",
    "unlink_provider",
    "verification_keys",
    "verify_account",
    "verify_email",
]
