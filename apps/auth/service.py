"""The services that auth provides to the other contexts."""

from apps.auth import actions, presenters, queries
from socialapp.contracts.auth import ActivePeople, LinkedAccount, MailContact, User
from socialapp.contracts.bulk import Record, RecordPage, Rejected
from socialapp.contracts.revocations import Revoked
from socialapp.contracts.signing_keys import PublicKey
from socialapp.demo.filling import TableFiller
from socialapp.lifecycle.bulk import record_page


class AuthService:
    """The `Auth` contract."""

    def user(self, *, user_id: int) -> User:
        """See `Auth.user`."""
        return _user(queries.account(user_id))

    def users(self, *, ids: list[int]) -> list[User]:
        """See `Auth.users`."""
        return _opened(queries.accounts(ids))

    def users_by_username(self, *, usernames: list[str]) -> list[User]:
        """See `Auth.users_by_username`."""
        return _opened(queries.accounts_by_username(usernames))

    def mail_contacts(self, *, user_ids: list[int]) -> list[MailContact]:
        """See `Auth.mail_contacts`."""
        return [
            MailContact(user_id=account.id, address=account.email)
            for account in queries.accounts(user_ids)
            if account.email_verified and account.email and account.status == "active"
        ]

    def active_people(self) -> ActivePeople:
        """See `Auth.active_people`."""
        return queries.active_people()

    def linked_accounts(self, *, user_id: int) -> list[LinkedAccount]:
        """See `Auth.linked_accounts`."""
        return queries.linked_accounts(user_id)


class RevocationsService:
    """The `Revocations` contract."""

    def recent(self) -> Revoked:
        """See `Revocations.recent`."""
        return queries.recently_revoked()

    def roles(self, *, user_id: int) -> list[str]:
        """See `Revocations.roles`."""
        return queries.role_names(user_id)


class SigningKeysService:
    """The `SigningKeys` contract."""

    def published(self) -> list[PublicKey]:
        """See `SigningKeys.published`."""
        return [PublicKey(kid=kid, pem=pem) for kid, pem in actions.published_keys().items()]


class AuthBulkTransfer:
    """The `BulkTransfer` contract for "user": auth's part of the record; users adds the profile."""

    def load(self, *, kind: str, records: list[Record]) -> list[Rejected]:
        """See `BulkTransfer.load`."""
        return actions.load_users(records=records)

    def dump(self, *, kind: str, after: str, limit: int) -> RecordPage:
        """See `BulkTransfer.dump`."""
        # Without pending users: a record has no status, so loading one would approve it.
        rows = queries.users_after(after=int(after or 0), limit=limit + 1)
        return record_page(rows, limit=limit, record=presenters.user_record)

    def parts(self, *, kind: str, ids: list[int]) -> list[Record]:
        """Nothing: people are dumped here."""
        return []


def _opened(accounts: list[queries.Account]) -> list[User]:
    """Without pending accounts, which do not exist yet for everybody else."""
    return [_user(account) for account in accounts if account.status != "pending"]


def _user(account: queries.Account) -> User:
    return User(
        id=account.id,
        username=account.username,
        full_name=account.full_name,
        status=account.status,
        roles=account.roles,
        created_at=account.created_at,
        email_verified=account.email_verified,
        is_deactivated=account.is_deactivated,
    )


# The `PopulationTables` contract.
POPULATION = TableFiller(actions.POPULATION_TABLES)
