"""Log-in with Google, Facebook, GitHub or any OpenID Connect provider, and linking them to an account.

Sources: RFC 6749 section 4.1, RFC 7636 (PKCE), RFC 9700 (best current practice): the state is bound to the browser
that requested it, and the redirect URI is the same in both steps.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib.auth.hashers import is_password_usable, make_password
from django.db import IntegrityError

from apps.auth.access import checked_email
from apps.auth.actions.accounts import create_user, mark_verified, refuse_unless_open
from apps.auth.actions.adapters import allauth_request
from apps.auth.actions.ciphers import cipher
from apps.auth.actions.mails import queue_mail
from apps.auth.actions.names import MAX_USERNAME, NewAccount, checked_username, is_name_reserved, username_skeleton
from apps.auth.actions.providers import FAULTS, REFUSALS, Flow
from apps.auth.models import LOCAL, Mail, User
from apps.auth.queries import existing_users, lock_user
from socialapp.core.db import atomic, transactional
from socialapp.core.errors import Conflict, FieldError, Invalid, NotFound, Unauthenticated, Unavailable
from socialapp.core.text.emails import email_key
from socialapp.core.text.visible import is_blank

STATE_SECONDS = 600
_MAX_NAME = 100
_MAX_ID = 190
_NO_IDS = frozenset({"", "None", "null", "True", "False"})
# Printable ASCII without quotes, backslash, fragment and the like, so that no two parsers disagree.
_REDIRECT_URI = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")


@dataclass(frozen=True, slots=True)
class SocialProfile:
    """The person who logged in, according to the provider."""

    provider: str
    oauth_id: str
    email: str
    email_verified: bool
    name: str


def authorize(*, provider: str, redirect_uri: str, browser: str) -> tuple[str, str]:
    """Returns the URL to send the user to, and the state that must come back. The state contains the encrypted PKCE
    secret, and is valid only for the browser with `browser` in a cookie."""
    _require_configured(provider)
    if not _REDIRECT_URI.fullmatch(redirect_uri) or _origin(redirect_uri) not in settings.ALLOWED_ORIGINS:
        raise Invalid.of("redirect_uri", "redirect_uri_invalid", "This URL is not on one of our origins.")
    challenge = generate_code_challenge()
    verifier = challenge.pop("code_verifier")
    content = {
        "provider": provider,
        "redirect_uri": redirect_uri,
        "verifier": verifier,
        "browser": _browser_digest(browser),
    }
    state = cipher("social state").encrypt(orjson.dumps(content)).decode()
    try:
        with allauth_request() as request:
            return Flow(request, provider, redirect_uri=redirect_uri).authorize_url(
                state=state, challenge=challenge
            ), state
    except FAULTS as error:
        raise _unavailable(provider) from error


def fetch_profile(*, provider: str, code: str, state: str, redirect_uri: str, browser: str) -> SocialProfile:
    """Who logged in at the provider. Unauthenticated for a code or state that is not valid, Unavailable if the provider
    does not answer, Invalid if it supplies no e-mail address."""
    _require_configured(provider)
    sealed = _unseal(state)
    expected = (provider, redirect_uri, _browser_digest(browser))
    if not browser or (sealed.get("provider"), sealed.get("redirect_uri"), sealed.get("browser")) != expected:
        raise _refused("the state is not that of this log-in, or too old")
    try:
        with allauth_request() as request:
            login = Flow(request, provider, redirect_uri=redirect_uri).profile(
                code=code, verifier=str(sealed["verifier"])
            )
    except REFUSALS as error:
        raise _refused("the provider does not accept this code") from error
    except FAULTS as error:
        raise _unavailable(provider) from error
    # Some provider classes turn a missing id into a string: all people without an id would share one account.
    if login.account.uid in _NO_IDS or login.account.uid[0] in "[{" or len(login.account.uid) > _MAX_ID:
        raise _refused("the provider does not say who you are")
    if not login.email_addresses:
        raise Invalid.of("code", "email_needed", f"{provider} does not share your e-mail address with us.")
    address = login.email_addresses[0]
    given = str(login.account.extra_data.get("name") or login.user.get_username() or "")
    name = "".join(char for char in given if char.isprintable())[:_MAX_NAME]
    return SocialProfile(
        provider,
        str(login.account.uid),
        checked_email(address.email),
        bool(address.verified),
        "" if is_blank(name) else name,
    )


def join_or_sign_up(profile: SocialProfile, *, username: str) -> tuple[User, bool]:
    """The account of a profile, locked, and whether it was just created; the caller holds the transaction.

    `username` is for a new account. Conflict if the address belongs to an account that cannot be joined.
    """
    user = _find(profile, lock=True)
    if user is not None:
        return user, False
    return _sign_up(profile, username or free_username_for(profile)), True


@transactional("auth")
def link_provider(*, user_id: int, profile: SocialProfile) -> None:
    """Lets the account log in with the provider. Conflict if that profile is linked elsewhere, or another one here."""
    user = lock_user(user_id)
    known = _account_of(profile)
    if known is not None and known.user_id != user_id:
        raise _linked_elsewhere()
    if known is None and SocialAccount.objects.filter(user=user, provider=profile.provider).exists():
        raise Conflict("another account at this provider is linked; unlink it first", code="provider_linked")
    if known is None:
        _link(user, profile)
        queue_mail(Mail.Kind.PROVIDER_LINKED, user=user, provider=profile.provider)


@transactional("auth")
def unlink_provider(*, user_id: int, provider: str) -> None:
    """Unlinks a provider; Conflict if it is the last way into the account."""
    user = lock_user(user_id)
    linked = SocialAccount.objects.filter(user=user)
    if not linked.filter(provider=provider).exists():
        raise NotFound("this provider is not linked")
    has_other_way = (
        is_password_usable(user.password)
        or linked.exclude(provider=provider).exists()
        or Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists()
    )
    if not has_other_way:
        raise Conflict("this is the last way into the account; set a password first", code="last_way_in")
    linked.filter(provider=provider).delete()
    if user.oauth_provider == provider:
        other = linked.order_by("pk").first()
        user.oauth_provider, user.oauth_id = (other.provider, other.uid) if other else (LOCAL, None)
        user.version += 1
        user.save(update_fields=["oauth_provider", "oauth_id", "version"])
    queue_mail(Mail.Kind.PROVIDER_UNLINKED, user=user, provider=provider)


def _account_of(profile: SocialProfile) -> SocialAccount | None:
    """The link of this account at the provider; Unauthenticated if the database takes its id for another's: ids are
    case-sensitive, and most collations are not."""
    found: SocialAccount | None = SocialAccount.objects.filter(provider=profile.provider, uid=profile.oauth_id).first()
    if found is not None and found.uid != profile.oauth_id:
        raise _refused("the provider's id of your account looks like somebody else's")
    return found


def _link(user: User, profile: SocialProfile) -> None:
    row = SocialAccount(user=user, provider=profile.provider, uid=profile.oauth_id, extra_data={})
    try:
        with atomic("auth"):
            row.save(force_insert=True)
    except IntegrityError:
        # Another request linked it between the look and the insert.
        raise _linked_elsewhere() from None
    if user.oauth_id is None:
        user.oauth_provider, user.oauth_id = profile.provider, profile.oauth_id
        user.version += 1
        user.save(update_fields=["oauth_provider", "oauth_id", "version"])


def _linked_elsewhere() -> Conflict:
    return Conflict("this account at the provider belongs to somebody else here", code="provider_taken")


def find_person(profile: SocialProfile) -> User | None:
    """The account that a profile logs in to, if any; Conflict if it cannot be joined."""
    return _find(profile, lock=False)


def _find(profile: SocialProfile, *, lock: bool) -> User | None:
    users = existing_users().select_for_update() if lock else existing_users()
    known = _account_of(profile)
    if known is not None:
        user = users.filter(id=known.user_id).first()
        if lock and not SocialAccount.objects.filter(pk=known.pk).exists():
            raise _refused("the provider was unlinked meanwhile")
        return user
    same_address = users.filter(email_key=email_key(profile.email)).first()
    if same_address is None:
        return None
    # Joined only if both sides have verified the address: otherwise whoever signs up first with a stranger's address
    # would share the account with them, here or at the provider.
    linked = SocialAccount.objects.filter(user=same_address, provider=profile.provider).exists()
    if not (profile.email_verified and same_address.email_verified) or linked:
        detail = "There is an account with this e-mail address; log in with its password."
        raise Conflict(detail, code="email_taken", errors=[FieldError("email", "email_taken", detail)])
    if lock:
        _link(same_address, profile)
        queue_mail(Mail.Kind.PROVIDER_LINKED, user=same_address, provider=profile.provider)
    return same_address


def _sign_up(profile: SocialProfile, username: str) -> User:
    refuse_unless_open()
    new = NewAccount(username, profile.email, profile.name, make_password(None), profile.provider, profile.oauth_id)
    user = create_user(new)
    _link(user, profile)
    if profile.email_verified:
        mark_verified(user)
    return user


def free_username_for(profile: SocialProfile) -> str:
    """A free username based on the profile's name or address, with a number if that is taken or not allowed."""
    stem = re.sub(r"[^A-Za-z0-9_.]", "", profile.name.replace(" ", ".")) or profile.email.partition("@")[0]
    stem = re.sub(r"[^A-Za-z0-9_.]", "", stem)[: MAX_USERNAME - 7].strip(".")
    for candidate in (stem, *(f"{stem or 'user'}{secrets.randbelow(10**6):06}" for _ in range(10))):
        try:
            checked_username(candidate)
        except Invalid:
            continue
        is_taken = User.objects.filter(username_skeleton=username_skeleton(candidate)).exists()
        is_taken = is_taken or User.objects.filter(username_key=candidate.casefold()).exists()
        if not is_taken and not is_name_reserved(candidate):
            return candidate
    raise Unavailable("no free username was found", code="no_username")


def _require_configured(provider: str) -> None:
    config = settings.SOCIAL_PROVIDERS.get(provider)
    if not config or not config["client_id"]:
        raise NotFound("there is no log-in with this provider")


def _origin(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}"


def _browser_digest(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()


def _unseal(state: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = orjson.loads(cipher("social state").decrypt(state.encode(), ttl=STATE_SECONDS))
    except (InvalidToken, ValueError):
        raise _refused("the state is not that of this log-in, or too old") from None
    return content


def _unavailable(provider: str) -> Unavailable:
    return Unavailable(f"{provider} gave no valid answer", code="provider_unavailable")


def _refused(detail: str) -> Unauthenticated:
    return Unauthenticated(detail, code="social_refused")
