"""Limits of log-in attempts, per username or address and in total; the owner's own devices have their own.

Strangers who guess use up the strangers' attempts only. A device with a token of the account, or an address from
which its owner has logged in before, has attempts of its own. Source: OWASP, Device Cookies.
"""

import time
from contextlib import suppress

import structlog
from django.conf import settings

from apps.auth.access import login_key
from apps.auth.actions.ciphers import keyed_digest
from apps.auth.actions.devices import Device, address_digest, device_of_token
from apps.auth.actions.mails import queue_mail
from apps.auth.models import Mail, Session, User
from socialapp.core.cache import redis_client, redis_errors
from socialapp.core.db import transactional
from socialapp.core.errors import TooMany, Unavailable
from socialapp.http.admission import Limit, LimitExceeded, address_block

log = structlog.get_logger()

_DAY = 86_400


def admit_attempt(*, login: str, user: User | None, device: Device) -> None:
    """Counts an attempt to authenticate; TooMany after too many of its kind, Unavailable without Redis.

    `login` is the text as typed, `user` its account, if any.
    """
    if not settings.RATE_LIMITS:
        return
    quota, window = settings.RATES["login"]
    own_device = device_of_token(device.token, user_id=user.id) if user and device.token else ""
    if user and own_device:
        (used,) = _count([_key(f"d:{user.id}:{own_device}", window)], window)
        if used > quota:
            raise _too_many()
        return
    subject = _subject(login)
    keys = [
        _key(f"s:{subject}", window),
        _key(f"a:{subject}:{address_block(device.address)}", window),
        _key("all", window),
    ]
    by_strangers, from_here, in_total = _count(keys, window)
    if by_strangers <= quota and in_total <= settings.RATE_LOGIN_TOTAL:
        return
    if user is not None and from_here <= quota and _is_known_address(user, device):
        return
    raise _too_many()


def forget_attempts(*, user: User, device: Device) -> None:
    """Resets the attempts for an account after a success, which shows that they were no guesses."""
    if not settings.RATE_LIMITS:
        return
    window = settings.RATES["login"][1]
    subjects = [_subject(login) for login in (user.username, user.email)]
    block = address_block(device.address)
    names = [name for subject in subjects for name in (f"s:{subject}", f"a:{subject}:{block}")]
    if own_device := device_of_token(device.token, user_id=user.id) if device.token else "":
        names = [f"d:{user.id}:{own_device}"]
    try:
        redis_client().delete(*(_key(name, window) for name in names), _failures_key(user))
    except redis_errors() as error:
        log.info("auth.attempts_not_forgotten", error=str(error))


def record_failure(*, user: User | None) -> None:
    """Records a wrong password; the owner is notified of many within a day, once a day."""
    if user is None or not settings.RATE_LIMITS:
        return
    try:
        (failures,) = _count([_failures_key(user)], _DAY)
    except Unavailable:
        return
    if failures == settings.FAILED_LOGINS_REPORTED:
        _report_failures(user, failures)


@transactional("auth")
def _report_failures(user: User, failures: int) -> None:
    queue_mail(Mail.Kind.FAILED_LOGINS, user=user, failures=failures)


def admit_code(*, user_id: int) -> None:
    """TooMany after many wrong codes of an authenticator app within a day, Unavailable without Redis.

    Only those who know the password can guess codes, which are short; setting a new password lifts the limit.
    Source: NIST SP 800-63B, 5.2.2.
    """
    if not settings.RATE_LIMITS:
        return
    try:
        wrong = int(redis_client().get(_codes_key(user_id)) or 0)
    except redis_errors() as error:
        log.warning("auth.attempts_unknown", error=str(error))
        raise Unavailable("log-in limits cannot be checked right now", code="limits_unavailable") from None
    if wrong >= settings.WRONG_CODES_PER_DAY:
        detail = "too many wrong codes; set a new password, or log in with a passkey"
        raise TooMany(detail, retry_after=_DAY)


def record_code(*, user_id: int, is_right: bool) -> None:
    """Counts a wrong code; a right one resets the count."""
    if not settings.RATE_LIMITS:
        return
    if not is_right:
        with suppress(Unavailable):
            _count([_codes_key(user_id)], _DAY)
        return
    try:
        redis_client().delete(_codes_key(user_id))
    except redis_errors() as error:
        log.warning("auth.attempts_unknown", error=str(error))


def _subject(login: str) -> str:
    """What attempts count against: a username and an e-mail address each by themselves, known or not. If those of one
    account counted together, strangers could find out whose address they have."""
    return keyed_digest(login_key(login), purpose="login")[:32]


def _codes_key(user_id: int) -> str:
    return f"{settings.REDIS_PREFIX}rate:codes:{user_id}"


def _is_known_address(user: User, device: Device) -> bool:
    return Session.objects.filter(user=user, address_digest=address_digest(device.address)).exists()


def _count(keys: list[str], window: int) -> list[int]:
    try:
        pipe = redis_client().pipeline(transaction=True)
        for key in keys:
            pipe.set(key, 0, ex=window, nx=True)
            pipe.incr(key)
        return [int(used) for used in pipe.execute()[1::2]]
    except redis_errors() as error:
        log.warning("auth.attempts_unknown", error=str(error))
        raise Unavailable("log-in limits cannot be checked right now", code="limits_unavailable") from None


def _key(name: str, window: int) -> str:
    return f"{settings.REDIS_PREFIX}rate:attempts:{name}:{int(time.time()) // window}"


def _failures_key(user: User) -> str:
    return f"{settings.REDIS_PREFIX}rate:failures:{user.id}"


def _too_many() -> LimitExceeded:
    quota, window = settings.RATES["login"]
    seconds = max(window - int(time.time()) % window, 1)
    limit = Limit("login", quota, window, remaining=0, reset=seconds)
    return LimitExceeded("too many attempts; try again later", retry_after=seconds, limits=[limit])
