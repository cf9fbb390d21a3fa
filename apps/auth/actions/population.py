"""Fills the tables of accounts with a generated population."""

from collections.abc import Iterator

from allauth.account.models import EmailAddress

from apps.auth.actions.accounts import role_id
from apps.auth.actions.names import mailbox_of, username_skeleton
from apps.auth.models import User, UserRole
from socialapp.contracts.bulk import Population
from socialapp.core.principal import USER
from socialapp.core.table_fill import Row, fill_table
from socialapp.core.text.emails import email_key
from socialapp.demo.filling import fillable
from socialapp.demo.population import email, full_name, joined_ms, moment_text, person_ids, username


def _fill_users(population: Population) -> int:
    columns = (
        "id",
        "username",
        "username_key",
        "username_skeleton",
        "email",
        "email_key",
        "email_mailbox",
        "full_name",
        "created_at",
    )
    same = {"password": population.password_hash}
    return fill_table(User, columns=columns, rows=_users(population), same=same)


def _users(population: Population) -> Iterator[Row]:
    for number, user_id in enumerate(person_ids(population)):
        name, address = username(number), email(number)
        joined = moment_text(joined_ms(population, number=number))
        names = (name, name.casefold(), username_skeleton(name))
        yield user_id, *names, address, email_key(address), mailbox_of(address), full_name(number), joined


def _fill_addresses(population: Population) -> int:
    rows = ((number + 1, user_id, email_key(email(number))) for number, user_id in enumerate(person_ids(population)))
    same = {"verified": False, "primary": True}
    return fill_table(EmailAddress, columns=("id", "user_id", "email"), rows=rows, same=same)


def _fill_roles(population: Population) -> int:
    rows = ((user_id, user_id) for user_id in person_ids(population))
    return fill_table(UserRole, columns=("id", "user_id"), rows=rows, same={"role_id": role_id(USER)})


POPULATION_TABLES = {
    "users": fillable(User, fill=_fill_users),
    "email_addresses": fillable(EmailAddress, fill=_fill_addresses),
    "user_roles": fillable(UserRole, fill=_fill_roles),
}
