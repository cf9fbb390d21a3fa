"""The log-in of the admin site: the same limits, passwords and second factors as the API's."""

from django.conf import settings

from apps.auth.actions.attempts import admit_attempt, forget_attempts, record_failure
from apps.auth.actions.devices import Device
from apps.auth.actions.passkeys import has_passkey
from apps.auth.actions.second_factors import demand_code, has_totp
from apps.auth.actions.sessions import is_right_password, refuse_inactive
from apps.auth.models import User
from apps.auth.queries import lock_user, user_named
from socialapp.core.db import transactional
from socialapp.core.errors import Forbidden, Unauthenticated


def admit_to_site(*, login: str, password: str, otp: str | None, device: Device) -> User:
    """The member of staff who logs in; Unauthenticated or Forbidden when they may not, TooMany after many attempts."""
    user = user_named(login)
    admit_attempt(login=login, user=user, device=device)
    if not is_right_password(user, password) or user is None or not user.is_staff:
        record_failure(user=user)
        raise Unauthenticated("the name or the password is wrong", code="invalid_credentials")
    refuse_inactive(user)
    if settings.STAFF_SECOND_FACTOR and not has_totp(user.id):
        known = "Use your authenticator app here as well" if has_passkey(user.id) else "Set up an authenticator app"
        raise Forbidden(f"{known}: the admin site asks staff for a code.", code="second_factor_required")
    _demand_code(user.id, otp)
    forget_attempts(user=user, device=device)
    return user


@transactional("auth")
def _demand_code(user_id: int, otp: str | None) -> None:
    demand_code(lock_user(user_id), otp)
