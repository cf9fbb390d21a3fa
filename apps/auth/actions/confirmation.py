"""Step-up authentication: the session's holder proves again to be the owner before any sensitive change.

Sources: OWASP ASVS 7.5.1 and 6.3.7. The log-in itself does not count: a stolen session has passed that too.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import is_password_usable
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.auth.actions.attempts import admit_attempt, forget_attempts, record_failure
from apps.auth.actions.ciphers import keyed_digest
from apps.auth.actions.credentials import is_right_password
from apps.auth.actions.devices import Device
from apps.auth.actions.mails import queue_mail
from apps.auth.actions.passkeys import has_passkey, use_passkey
from apps.auth.actions.second_factors import use_code
from apps.auth.models import Mail, Session
from apps.auth.queries import existing_users, has_totp, lock_user
from socialapp.core.db import transactional
from socialapp.core.errors import Forbidden, NotFound, Problem

CONFIRMED = timedelta(minutes=5)
CODE_LIFE = timedelta(minutes=15)
MAX_CODE_ATTEMPTS = 5
SECOND_FACTORS = frozenset({"otp", "passkey"})
_CODE_DIGITS = 8


class ConfirmationRequired(Forbidden):
    """403: the session must be confirmed first; `methods` lists the ways to do so."""

    def __init__(self, methods: list[str]) -> None:
        super().__init__("confirm that it is you first: POST /v1/auth/confirm", code="confirmation_required")
        self.members = {"methods": methods}


def confirmation_methods(user_id: int) -> list[str]:
    """The ways in which the account's owner can confirm a session: password, otp, passkey, code (by mail)."""
    user = existing_users().filter(id=user_id).first()
    if user is None:
        raise NotFound("there is no such user")
    offered = {
        "password": is_password_usable(user.password),
        "otp": has_totp(user_id),
        "passkey": has_passkey(user_id),
        "code": True,
    }
    return [name for name, is_offered in offered.items() if is_offered]


def require_confirmation(*, user_id: int, session_id: int) -> str:
    """The method by which the session was confirmed; ConfirmationRequired unless within `CONFIRMED`. One query if it
    was."""
    confirmed_by = _confirmed_by(user_id=user_id, session_id=session_id)
    if not confirmed_by:
        raise ConfirmationRequired(confirmation_methods(user_id))
    return confirmed_by


def require_confirmation_for_passkey(*, user_id: int, session_id: int) -> None:
    """Like `require_confirmation`, but by a second factor if the account has an authenticator app: a passkey logs in
    without its codes, so the password alone must not add one."""
    methods = confirmation_methods(user_id)
    if "otp" in methods:
        methods = [method for method in methods if method in SECOND_FACTORS]
    if _confirmed_by(user_id=user_id, session_id=session_id) not in methods:
        raise ConfirmationRequired(methods)


def _confirmed_by(*, user_id: int, session_id: int) -> str:
    """The method by which the session was confirmed within `CONFIRMED`; empty if it was not."""
    session = Session.objects.filter(id=session_id, user_id=user_id, ended_at=None).first()
    if session is None or session.confirmed_until is None or session.confirmed_until <= timezone.now():
        return ""
    return session.confirmed_by


def confirm_session(*, user_id: int, session_id: int, method: str, proof: Any, device: Device) -> datetime:
    """Records that the session's holder proved to be the owner, and returns when the confirmation expires.

    Forbidden with `password_wrong` or `confirmation_failed` if `proof` is not valid; TooMany after many attempts.
    """
    user = existing_users().filter(id=user_id).first()
    if user is None:
        raise NotFound("there is no such user")
    admit_attempt(login=user.username, user=user, device=device)
    if not _holds(user_id, session_id, method, proof):
        record_failure(user=user)
        raise _refusal(method)
    until = timezone.now() + CONFIRMED
    _mark_confirmed(user_id, session_id, method, until)
    forget_attempts(user=user, device=device)
    return until


@transactional("auth")
def _mark_confirmed(user_id: int, session_id: int, method: str, until: datetime) -> None:
    Session.objects.filter(id=session_id, user_id=user_id, ended_at=None).update(
        confirmed_until=until, confirmed_by=method, code_digest="", code_expires_at=None
    )


def _holds(user_id: int, session_id: int, method: str, proof: Any) -> bool:
    match method:
        case "password":
            return is_right_password(existing_users().filter(id=user_id).first(), password=proof)
        case "otp":
            return use_code(user_id=user_id, code=proof)
        case "passkey":
            return _is_own_passkey(user_id, proof)
        case _:
            return _is_mailed_code(user_id, session_id, proof)


def _is_own_passkey(user_id: int, credential: dict[str, Any]) -> bool:
    try:
        return use_passkey(credential).user_id == user_id
    except Problem:
        return False


@transactional("auth")
def _is_mailed_code(user_id: int, session_id: int, code: str) -> bool:
    session = Session.objects.select_for_update().filter(id=session_id, user_id=user_id).first()
    if session is None or not session.code_digest or session.code_attempts >= MAX_CODE_ATTEMPTS:
        return False
    session.code_attempts += 1
    session.save(update_fields=["code_attempts"])
    is_alive = session.code_expires_at is not None and session.code_expires_at > timezone.now()
    return is_alive and constant_time_compare(session.code_digest, _code_digest(session_id, code))


@transactional("auth")
def mail_confirmation_code(*, user_id: int, session_id: int) -> None:
    """Mails the owner a code that confirms this session, for accounts without a password."""
    code = f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}"
    user = lock_user(user_id)
    Session.objects.filter(id=session_id, user_id=user_id, ended_at=None).update(
        code_digest=_code_digest(session_id, code), code_expires_at=timezone.now() + CODE_LIFE, code_attempts=0
    )
    queue_mail(Mail.Kind.CONFIRM_CODE, user=user, code=code)


def _code_digest(session_id: int, code: str) -> str:
    return keyed_digest(f"{session_id} {code.replace(' ', '')}", purpose="confirmation code")


def _refusal(method: str) -> Forbidden:
    if method == "password":
        return Forbidden("the password is wrong", code="password_wrong")
    return Forbidden("this does not prove that it is you", code="confirmation_failed")
