"""One-time passwords of authenticator apps, and recovery codes in their place, stored by allauth's mfa.

Sources: RFC 6238 (TOTP), section 5.2: a code is valid once. NIST SP 800-63B, 5.1.2: look-up secrets.
"""

import time
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from apps.auth.actions.adapters import MfaAdapter
from apps.auth.actions.attempts import admit_code, record_code
from apps.auth.actions.ciphers import cipher
from apps.auth.actions.mails import queue_mail
from apps.auth.models import Mail, RecoveryCode, TotpDevice, User
from apps.auth.queries import has_totp, lock_user
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict, Invalid, NotFound, Unauthenticated

STEP_SECONDS = 30
_STEPS_OFF = 1  # clocks differ: the codes just before and after count too
_GROUP = 5  # digits per displayed group of a recovery code


@dataclass(frozen=True, slots=True)
class TotpSecret:
    """What an authenticator app needs: the secret in base 32, and the same as a URL for a QR code."""

    secret: str
    otpauth_url: str


@transactional("auth")
def start_totp(*, user_id: int) -> TotpSecret:
    """A new secret for the account, in force once confirmed; Conflict if there is one already."""
    secret = generate_totp_secret()
    user = lock_user(user_id)
    if has_totp(user_id):
        raise Conflict("an authenticator app is set up already; remove it first", code="totp_enabled")
    TotpDevice.objects.update_or_create(
        user=user, defaults={"secret": cipher("totp secret").encrypt(secret.encode()).decode()}
    )
    return TotpSecret(secret, MfaAdapter().build_totp_url(user, secret))


@transactional("auth")
def confirm_totp(*, user_id: int, code: str) -> list[str]:
    """Activates the secret if `code` matches it; returns the recovery codes, which are shown only now."""
    user = lock_user(user_id)
    if has_totp(user_id):
        raise Conflict("the authenticator app is confirmed already", code="totp_enabled")
    pending = TotpDevice.objects.filter(user_id=user_id).first()
    if pending is None:
        raise NotFound("no authenticator app is being set up")
    secret = cipher("totp secret").decrypt(pending.secret.encode()).decode()
    step = _fitting_step(secret, code, after=0)
    if step is None:
        raise _wrong_code()
    totp = TOTP.activate(user, secret)
    totp.instance.data["last_step"] = step
    totp.instance.save(update_fields=["data"])
    pending.delete()
    RecoveryCode.objects.filter(user_id=user_id).delete()
    Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.RECOVERY_CODES).delete()
    queue_mail(Mail.Kind.TOTP_ADDED, user=user)
    return [_grouped(one) for one in RecoveryCodes.activate(user).get_unused_codes()]


@transactional("auth")
def remove_totp(*, user_id: int, code: str | None) -> None:
    """Removes the authenticator app; Invalid if `code` is given and neither one of its codes nor a recovery code.

    Without a code the caller must have confirmed the session with a second factor.
    """
    user = lock_user(user_id)
    if not has_totp(user_id):
        if TotpDevice.objects.filter(user_id=user_id).delete()[0]:
            return
        raise NotFound("there is no authenticator app")
    if code is not None and not accept_code(user_id, code=code):
        raise _wrong_code()
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    Authenticator.objects.filter(user_id=user_id, type__in=kinds).delete()
    RecoveryCode.objects.filter(user_id=user_id).delete()
    queue_mail(Mail.Kind.TOTP_REMOVED, user=user)


def demand_code(user: User, *, otp: str | None) -> None:
    """Unauthenticated if the account has an authenticator app and the code is missing or wrong."""
    if not has_totp(user.id):
        return
    if not otp:
        raise Unauthenticated("a code from your authenticator app is needed", code="otp_required")
    if not accept_code(user.id, code=otp):
        raise Unauthenticated("the code is wrong or was used before", code="otp_invalid")


def accept_code(user_id: int, *, code: str) -> bool:
    """Whether the code is valid, which uses it up; the caller holds the transaction and the account's lock.

    TooMany after many wrong codes.
    """
    admit_code(user_id=user_id)
    is_right = _is_accepted(user_id, code)
    record_code(user_id=user_id, is_right=is_right)
    return is_right


def _is_accepted(user_id: int, code: str) -> bool:
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    rows = {row.type: row for row in Authenticator.objects.filter(user_id=user_id, type__in=kinds)}
    totp, recovery = rows.get(Authenticator.Type.TOTP), rows.get(Authenticator.Type.RECOVERY_CODES)
    if totp is None:
        return False
    return _accept_app_code(totp, code) or _accept_recovery_code(user_id, recovery, code)


@transactional("auth")
def use_code(*, user_id: int, code: str) -> bool:
    """Like `accept_code`, in a transaction of its own."""
    lock_user(user_id)
    return accept_code(user_id, code=code)


def _accept_app_code(totp: Authenticator, code: str) -> bool:
    # allauth remembers used codes in the cache, which may be lost: the last time step is stored in the row.
    step = _fitting_step(decrypt(totp.data["secret"]), code, after=int(totp.data.get("last_step", 0)))
    if step is None:
        return False
    totp.data["last_step"] = step
    totp.last_used_at = timezone.now()
    totp.save(update_fields=["data", "last_used_at"])
    return True


def _fitting_step(secret: str, code: str, *, after: int) -> int | None:
    now, sent = int(time.time()) // STEP_SECONDS, code.replace(" ", "")
    for step in range(now - _STEPS_OFF, now + _STEPS_OFF + 1):
        if step > after and constant_time_compare(format_hotp_value(hotp_value(secret, step)), sent):
            return step
    return None


def _accept_recovery_code(user_id: int, recovery: Authenticator | None, code: str) -> bool:
    plain = code.replace("-", "").replace(" ", "").lower()
    if recovery is None:
        # Issued before allauth stored them.
        used, _ = RecoveryCode.objects.filter(user_id=user_id, digest=_code_digest(plain)).delete()
        return bool(used)
    # Without its decorator, which would open a transaction on the database "default".
    accepted: bool = RecoveryCodes.validate_code.__wrapped__(recovery.wrap(), plain)
    return accepted


def _grouped(code: str) -> str:
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def _code_digest(plain: str) -> str:
    return salted_hmac("socialapp.auth.recovery", plain, algorithm="sha256").hexdigest()


def _wrong_code() -> Invalid:
    return Invalid.of("code", "code_invalid", "This code is wrong or was used before.")
