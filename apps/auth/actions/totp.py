"""One-time passwords from an authenticator app, and the recovery codes that stand in for it.

Sources: RFC 6238 (TOTP), section 5.2: a code counts once.
"""

import secrets
import time
from dataclasses import dataclass

import pyotp
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from apps.auth.actions.tokens import cipher
from apps.auth.models import RecoveryCode, TotpDevice
from apps.auth.queries import lock_user
from socialapp.core.db import atomic, transactional
from socialapp.core.errors import Conflict, Invalid, NotFound

STEP_SECONDS = 30
_STEPS_OFF = 1  # clocks differ: the codes just before and after count too
RECOVERY_CODES = 10


@dataclass(frozen=True, slots=True)
class TotpSecret:
    """What an authenticator app needs: the secret in base 32, and the same as a URL for a QR code."""

    secret: str
    otpauth_url: str


def start_totp(*, user_id: int) -> TotpSecret:
    """A new secret for the account, in force once confirmed; Conflict when one is in force already."""
    secret = pyotp.random_base32()
    with atomic("auth"):
        user = lock_user(user_id)
        if has_totp(user_id):
            raise Conflict("an authenticator app is set up already; remove it first", code="totp_enabled")
        TotpDevice.objects.update_or_create(
            user=user, defaults={"secret": cipher("totp secret").encrypt(secret.encode()).decode()}
        )
    app = pyotp.TOTP(secret, interval=STEP_SECONDS)
    return TotpSecret(secret, app.provisioning_uri(name=user.username, issuer_name=settings.JWT_ISSUER))


@transactional("auth")
def confirm_totp(*, user_id: int, code: str) -> list[str]:
    """Puts the secret in force when `code` fits it; the recovery codes, which are shown this once."""
    lock_user(user_id)
    device = TotpDevice.objects.filter(user_id=user_id).first()
    if device is None:
        raise NotFound("no authenticator app is being set up", code="totp_not_started")
    if device.confirmed_at is not None:
        raise Conflict("the authenticator app is confirmed already", code="totp_enabled")
    if not _accept_app_code(device, code):
        raise _wrong_code()
    device.confirmed_at = timezone.now()
    device.save(update_fields=["confirmed_at"])
    return _new_recovery_codes(user_id)


@transactional("auth")
def remove_totp(*, user_id: int, code: str) -> None:
    """Takes the authenticator app away; Invalid when `code` is neither of it nor a recovery code."""
    lock_user(user_id)
    if not TotpDevice.objects.filter(user_id=user_id).exists():
        raise NotFound("there is no authenticator app", code="totp_not_enabled")
    if not accept_code(user_id, code):
        raise _wrong_code()
    TotpDevice.objects.filter(user_id=user_id).delete()
    RecoveryCode.objects.filter(user_id=user_id).delete()


def has_totp(user_id: int) -> bool:
    """Whether the account logs in with one-time passwords."""
    return TotpDevice.objects.filter(user_id=user_id).exclude(confirmed_at=None).exists()


def accept_code(user_id: int, code: str) -> bool:
    """Whether the code is good, which uses it up; the caller holds the transaction and the account's lock."""
    device = TotpDevice.objects.filter(user_id=user_id).first()
    if device is None:
        return False
    return _accept_app_code(device, code) or _accept_recovery_code(user_id, code)


def _accept_app_code(device: TotpDevice, code: str) -> bool:
    app = pyotp.TOTP(cipher("totp secret").decrypt(device.secret.encode()).decode(), interval=STEP_SECONDS)
    now = int(time.time()) // STEP_SECONDS
    sent = code.replace(" ", "")
    for step in range(now - _STEPS_OFF, now + _STEPS_OFF + 1):
        if step > device.last_step and constant_time_compare(app.generate_otp(step), sent):
            device.last_step = step
            device.save(update_fields=["last_step"])
            return True
    return False


def _accept_recovery_code(user_id: int, code: str) -> bool:
    used, _ = RecoveryCode.objects.filter(user_id=user_id, digest=_code_digest(code)).delete()
    return bool(used)


def _new_recovery_codes(user_id: int) -> list[str]:
    codes = [f"{secrets.token_hex(3)}-{secrets.token_hex(3)}" for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user_id=user_id).delete()
    RecoveryCode.objects.bulk_create([RecoveryCode(user_id=user_id, digest=_code_digest(code)) for code in codes])
    return codes


def _code_digest(code: str) -> str:
    plain = code.replace("-", "").replace(" ", "").lower()
    return salted_hmac("socialapp.auth.recovery", plain, algorithm="sha256").hexdigest()


def _wrong_code() -> Invalid:
    return Invalid.of("code", "code_invalid", "This code is wrong or was used before.")
