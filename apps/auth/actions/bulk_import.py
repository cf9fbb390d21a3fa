"""Bulk import of accounts, with the same events as registering one by one, but no mails."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import identify_hasher, is_password_usable, make_password
from django.db import IntegrityError

from apps.auth.access import checked_email
from apps.auth.actions.accounts import role_id
from apps.auth.actions.names import checked_username, mailbox_of, username_skeleton
from apps.auth.models import User, UserRole
from socialapp.contracts.auth import UserRegistered, UserVerified
from socialapp.contracts.bulk import Record, Rejected
from socialapp.core.db import transactional
from socialapp.core.ids import id_of
from socialapp.core.principal import USER
from socialapp.core.text.emails import email_key
from socialapp.lifecycle.bulk import parse_each, require_plain, require_time_zone
from socialapp.messaging.publish import publish

_MAX_HASH = 128


class _UserRecord(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of a `user` record: all of them, so that users need not reject what already has an account."""

    id: str
    username: str
    email: str
    created_at: datetime
    password_hash: Annotated[str, msgspec.Meta(max_length=_MAX_HASH)] = ""
    email_verified: bool = False
    full_name: Annotated[str, msgspec.Meta(max_length=100)] = ""
    bio: Annotated[str, msgspec.Meta(max_length=500)] = ""
    is_private: bool = False
    is_discoverable: bool = True


@dataclass(frozen=True, slots=True)
class LoadableUser:
    """An account from a file."""

    id: int
    username: str
    email: str
    password_hash: str
    email_verified: bool
    full_name: str
    created_at: datetime


def load_users(*, records: Sequence[Record]) -> list[Rejected]:
    """Writes the accounts that do not exist yet, in one transaction.

    Rejects malformed records, ids that belong to others, and names and addresses that are taken.
    """
    loadable, rejected = parse_each(records, parse=_parse)
    try:
        clashes = _load(loadable)
    except IntegrityError:
        # Somebody registered one of the names concurrently; the next look sees it.
        clashes = _load(loadable)
    return [*rejected, *clashes]


def _parse(record: Record) -> LoadableUser:
    parsed = msgspec.convert(record, _UserRecord)
    require_time_zone(parsed.created_at)
    require_plain(name="full_name", text=parsed.full_name, multiline=False)
    require_plain(name="bio", text=parsed.bio, multiline=True)
    return LoadableUser(
        id=id_of(parsed.id, name="id"),
        username=checked_username(parsed.username, may_be_reserved=True),
        email=checked_email(parsed.email),
        password_hash=_checked_hash(parsed.password_hash),
        email_verified=parsed.email_verified,
        full_name=parsed.full_name,
        created_at=parsed.created_at,
    )


def _checked_hash(password_hash: str) -> str:
    """A hash that log-in can verify, or an unusable one."""
    if password_hash and is_password_usable(password_hash):
        try:
            identify_hasher(password_hash).decode(password_hash)
        except ValueError:
            raise ValueError("password_hash has an unknown format") from None
    return password_hash


@transactional("auth")
def _load(users: Mapping[int, LoadableUser]) -> list[Rejected]:
    """Writes the users, given by the indices of their records."""
    names, addresses, owners = _taken(users.values())
    made: list[LoadableUser] = []
    rejected: list[Rejected] = []
    for index, user in users.items():
        name, address = user.username.casefold(), email_key(user.email)
        if owners.get(user.id) == name:
            continue
        if reason := _clash(user.id in owners, name in names, address in addresses):
            rejected.append(Rejected(index=index, reason=reason))
            continue
        owners[user.id] = name
        names.add(name)
        addresses.add(address)
        made.append(user)
    _write(made)
    publish(*(_registered(user) for user in made))
    publish(*(UserVerified(user_id=user.id) for user in made if user.email_verified))
    return rejected


def _write(users: Sequence[LoadableUser]) -> None:
    mailboxes = _free_mailboxes(users)
    User.objects.bulk_create([_row(user, mailbox=mailboxes.get(user.id)) for user in users])
    EmailAddress.objects.bulk_create(
        [
            EmailAddress(user_id=user.id, email=email_key(user.email), verified=user.email_verified, primary=True)
            for user in users
        ]
    )
    role = role_id(USER)
    UserRole.objects.bulk_create([UserRole(user_id=user.id, role_id=role) for user in users])


def _free_mailboxes(users: Sequence[LoadableUser]) -> dict[int, str]:
    """The unclaimed mailboxes of these: accounts may share one when loaded, but no more can register with it."""
    mailboxes = {user.id: mailbox_of(user.email) for user in users}
    taken = set(User.objects.filter(email_mailbox__in=mailboxes.values()).values_list("email_mailbox", flat=True))
    free: dict[int, str] = {}
    for user_id, mailbox in mailboxes.items():
        if mailbox not in taken:
            free[user_id] = mailbox
            taken.add(mailbox)
    return free


def _taken(users: Collection[LoadableUser]) -> tuple[set[str], set[str], dict[int, str]]:
    """The taken names and addresses among these, and the owners of the ids ("" for a deleted account)."""
    rows = User.objects.order_by()
    names = rows.filter(username_key__in={user.username.casefold() for user in users})
    addresses = rows.filter(email_key__in={email_key(user.email) for user in users})
    owners = rows.filter(id__in={user.id for user in users})
    return (
        set(names.values_list("username_key", flat=True)),
        {address for address in addresses.values_list("email_key", flat=True) if address is not None},
        {
            user_id: "" if status == User.Status.DELETED else name
            for user_id, name, status in owners.values_list("id", "username_key", "status")
        },
    )


def _clash(id_taken: bool, name_taken: bool, address_taken: bool) -> str:
    """Why the account cannot be created; "" if it can."""
    if id_taken:
        return "this id belongs to another account, or to one that was deleted"
    if name_taken:
        return "this username is taken by another account"
    return "this email is taken by another account" if address_taken else ""


def _row(user: LoadableUser, *, mailbox: str | None) -> User:
    return User(
        id=user.id,
        username=user.username,
        username_key=user.username.casefold(),
        username_skeleton=username_skeleton(user.username),
        email=user.email,
        email_key=email_key(user.email),
        email_mailbox=mailbox,
        full_name=user.full_name,
        password=user.password_hash or make_password(None),
        email_verified=user.email_verified,
        created_at=user.created_at,
    )


def _registered(user: LoadableUser) -> UserRegistered:
    return UserRegistered(user_id=user.id, username=user.username, full_name=user.full_name, created_at=user.created_at)
