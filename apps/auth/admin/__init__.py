"""Admin pages of accounts. Roles and sessions are changed through actions; bans belong to moderation."""

from apps.auth.admin.accounts import MailAdmin, RoleAdmin, UserAdmin, UserRoleAdmin
from apps.auth.admin.credentials import (
    AuthenticatorAdmin,
    EmailAddressAdmin,
    PasskeyChallengeAdmin,
    RecoveryCodeAdmin,
    SocialAccountAdmin,
    TotpDeviceAdmin,
)
from apps.auth.admin.erasures import ErasureAckAdmin, ErasureAdmin, ExportAdmin
from apps.auth.admin.registration import ApplicationAdmin, InviteAdmin, ReservedNameAdmin
from apps.auth.admin.sessions import SessionAdmin, SigningKeyAdmin
from apps.auth.admin.site import StaffLoginForm, StaffPasswordForm

__all__ = [
    "ApplicationAdmin",
    "AuthenticatorAdmin",
    "EmailAddressAdmin",
    "ErasureAckAdmin",
    "ErasureAdmin",
    "ExportAdmin",
    "InviteAdmin",
    "MailAdmin",
    "PasskeyChallengeAdmin",
    "RecoveryCodeAdmin",
    "ReservedNameAdmin",
    "RoleAdmin",
    "SessionAdmin",
    "SigningKeyAdmin",
    "SocialAccountAdmin",
    "StaffLoginForm",
    "StaffPasswordForm",
    "TotpDeviceAdmin",
    "UserAdmin",
    "UserRoleAdmin",
]
