"""The tables of accounts: users, their roles, sessions, mails to be sent, exports and erasures.

E-mail addresses, linked providers, authenticator apps, recovery codes and passkeys are tables of django-allauth.
"""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.management import CommandError
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from socialapp.core.db import IdField
from socialapp.core.principal import ADMIN, MODERATOR

MODERATION_LABEL = "moderation"
LOCAL = "local"  # `oauth_provider` of accounts that were not made with a provider


class UserManager(BaseUserManager["User"]):
    """Finds accounts by name for Django's own log-in; accounts are made by actions, which also publish events."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The account called `username`, compared without case."""
        return self.get(username_key=(username or "").casefold())

    def create_superuser(self, *args: object, **fields: object) -> "User":
        """Refused: `createsuperuser` would make an account that no other context knows."""
        raise CommandError("use manage.py create_admin")


class User(AbstractBaseUser):
    """An account. A deleted one stays as a tombstone that holds nothing but its id."""

    class Status(models.TextChoices):
        """Whether the account may be used."""

        ACTIVE = "active"
        BANNED = "banned"
        DELETED = "deleted"
        PENDING = "pending"  # waits for approval by staff

    id = IdField()
    username = models.CharField(max_length=30, unique=True)
    # Unique without case on every database, whatever its collation.
    username_key = models.CharField(max_length=30, unique=True)
    # What names that look alike have in common (UTS #39); not unique, as older names may clash.
    username_skeleton = models.CharField(max_length=60, db_default="", db_index=True, blank=True)
    # The same for names given since they must not look alike: of two that are asked for at once, one is refused.
    username_claim = models.CharField(max_length=60, unique=True, null=True, blank=True)
    email = models.CharField(max_length=254)
    email_key = models.CharField(max_length=254, unique=True, null=True)
    # The mailbox behind the address, without the dots and tags that its provider ignores.
    email_mailbox = models.CharField(max_length=254, unique=True, null=True, blank=True)
    full_name = models.CharField(max_length=100, blank=True)
    password = models.CharField(max_length=128, db_column="password_hash")
    # The provider the account was made or first joined with; all linked ones are allauth's SocialAccount rows.
    oauth_provider = models.CharField(max_length=20, null=True, blank=True, default=LOCAL)
    oauth_id = models.CharField(max_length=190, null=True, blank=True)
    email_verified = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    sanctioned_at = models.DateTimeField(null=True, blank=True)
    # Set while a moderator's demand for a new password stands; `…_at` is the moment of the latest decision about it.
    must_reset_password = models.BooleanField(default=False, db_default=False)
    must_reset_password_at = models.DateTimeField(null=True, blank=True)
    # Set while a deletion waits for the end of its grace period.
    deletion_due_at = models.DateTimeField(null=True, blank=True, db_index=True)
    deleted_at = models.DateTimeField(null=True, blank=True, db_index=True)
    # Tokens made before it may carry other roles than the account has.
    roles_changed_at = models.DateTimeField(null=True, blank=True, db_index=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        db_table = "users"
        constraints = (models.UniqueConstraint(fields=["oauth_provider", "oauth_id"], name="users_oauth_once"),)

    def __str__(self) -> str:
        return self.username

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Whether the account may log in; Django's admin asks for it."""
        return self.status == self.Status.ACTIVE

    @cached_property
    def role_names(self) -> frozenset[str]:
        """The names of the account's roles; one query."""
        return frozenset(self.user_roles.values_list("role__name", flat=True))

    @property
    def is_staff(self) -> bool:
        """Whether the account may enter the admin site."""
        return bool(self.role_names & {ADMIN, MODERATOR})

    @property
    def is_superuser(self) -> bool:
        """Whether the account may do everything in the admin site."""
        return ADMIN in self.role_names

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Admins may do everything, moderators everything in moderation; `perm` is "label.codename"."""
        return self.has_module_perms(perm.partition(".")[0])

    def has_module_perms(self, app_label: str) -> bool:
        """Whether the account may use the app called `app_label` in the admin site."""
        return self.is_active and (self.is_superuser or (self.is_staff and app_label == MODERATION_LABEL))


class Role(models.Model):
    """A named right: admin, moderator, or user, which everybody has."""

    id = IdField()
    name = models.CharField(max_length=30, unique=True)

    class Meta:
        db_table = "roles"

    def __str__(self) -> str:
        return self.name


class UserRole(models.Model):
    """An account has a role."""

    id = IdField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="user_roles")
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="user_roles")

    class Meta:
        db_table = "user_roles"
        constraints = (models.UniqueConstraint(fields=["user", "role"], name="user_roles_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.role_id}"


class Session(models.Model):
    """A log-in on one device: a family of refresh tokens, each made from the one before, or one of the admin site."""

    class Kind(models.TextChoices):
        """What the session is used with."""

        API = "api"
        SITE = "site"

    id = IdField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.API, db_default="api")
    # SHA-256 of the current refresh token; every earlier one of the family is spent.
    token_digest = models.CharField(max_length=64)
    # Of the token before it, and the current one encrypted under that: for two refreshes at the same moment.
    previous_digest = models.CharField(max_length=64, db_default="", blank=True)
    successor = models.CharField(max_length=400, db_default="", blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    # The range that the client's address is in, and a keyed digest of the address (of the /64 for IPv6).
    address = models.CharField(max_length=45, blank=True)
    address_digest = models.CharField(max_length=64, db_default="", blank=True)
    # Until when this session may do what asks for confirmation, and how it was confirmed.
    confirmed_until = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=10, db_default="", blank=True)
    code_digest = models.CharField(max_length=64, db_default="", blank=True)
    code_expires_at = models.DateTimeField(null=True, blank=True)
    code_attempts = models.PositiveSmallIntegerField(db_default=0, default=0)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        db_table = "sessions"
        indexes = (models.Index(fields=["address"], name="sessions_address"),)

    def __str__(self) -> str:
        return str(self.id)


class PasskeyChallenge(models.Model):
    """A WebAuthn ceremony that was begun: its row is deleted by the answer, so that no answer counts twice."""

    id = IdField()
    digest = models.CharField(max_length=64, unique=True)
    # Whose passkey is being registered; empty for a log-in.
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="passkey_challenges")
    state = models.JSONField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "passkey_challenges"

    def __str__(self) -> str:
        return str(self.id)


class TotpDevice(models.Model):
    """An authenticator app that is being set up; once a code confirms it, it becomes allauth's Authenticator."""

    id = IdField()
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="totp_device")
    # Encrypted under a key derived from SECRET_KEY: the table alone lets nobody make codes.
    secret = models.CharField(max_length=200)
    last_step = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "totp_devices"

    def __str__(self) -> str:
        return str(self.user_id)


class RecoveryCode(models.Model):
    """A recovery code handed out before allauth kept them; it is deleted when used."""

    id = IdField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "recovery_codes"
        constraints = (models.UniqueConstraint(fields=["user", "digest"], name="recovery_codes_once"),)

    def __str__(self) -> str:
        return str(self.user_id)


class Mail(models.Model):
    """A mail to be sent: written with the state that calls for it, so neither is without the other.

    A password reset that was asked for names an address only, known or not: the request costs the same either way.
    """

    class Kind(models.TextChoices):
        """What the mail says; each has its templates in `templates/auth/mail`."""

        VERIFY_EMAIL = "verify_email"
        EMAIL_REQUESTED = "email_requested"
        EMAIL_CHANGED = "email_changed"
        RESET_PASSWORD = "reset_password"  # noqa: S105 (a kind of mail)
        PASSWORD_CHANGED = "password_changed"  # noqa: S105 (a kind of mail)
        CONFIRM_CODE = "confirm_code"
        NEW_DEVICE = "new_device"
        TOTP_ADDED = "totp_added"
        TOTP_REMOVED = "totp_removed"
        PASSKEY_ADDED = "passkey_added"
        PASSKEY_REMOVED = "passkey_removed"
        PROVIDER_LINKED = "provider_linked"
        PROVIDER_UNLINKED = "provider_unlinked"
        REFRESH_REUSED = "refresh_reused"
        FAILED_LOGINS = "failed_logins"
        EXPORT_REQUESTED = "export_requested"
        DELETION_SCHEDULED = "deletion_scheduled"
        DELETION_CANCELLED = "deletion_cancelled"
        REGISTRATION_RECEIVED = "registration_received"
        REGISTRATION_APPROVED = "registration_approved"
        REGISTRATION_REJECTED = "registration_rejected"
        BANNED = "banned"
        APPEAL_DECIDED = "appeal_decided"
        PASSWORD_RESET_DEMANDED = "password_reset_demanded"  # noqa: S105 (a kind of mail)

    id = IdField()
    kind = models.CharField(max_length=30, choices=Kind.choices)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="mails")
    address = models.CharField(max_length=254)
    # What the templates name beside the account: ids, codes, times, devices; never a text that a stranger wrote.
    details = models.JSONField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        db_table = "mails"

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class SigningKey(models.Model):
    """A key that signs access tokens and certificates, beside that of the settings; made by `manage.py keys rotate`."""

    id = IdField()
    kid = models.CharField(max_length=32, unique=True)
    # PEM, encrypted under a key derived from SECRET_KEY; empty once the key is retired.
    private_key = models.TextField(blank=True)
    public_key = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    signs_from = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "signing_keys"

    def __str__(self) -> str:
        return self.kid


class ReservedName(models.Model):
    """A username that is kept free for a while: of somebody who was deleted (a digest only), or renamed."""

    id = IdField()
    digest = models.CharField(max_length=64, unique=True)
    # Who had it and has another now; empty after a deletion.
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="former_names")
    until = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "reserved_names"

    def __str__(self) -> str:
        return str(self.id)


class Invite(models.Model):
    """A code that lets people register while registration is by invitation."""

    id = IdField()
    digest = models.CharField(max_length=64, unique=True)
    note = models.CharField(max_length=100, blank=True)
    uses_left = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "invites"

    def __str__(self) -> str:
        return str(self.id)


class Application(models.Model):
    """Why somebody wants to join, while registration needs approval; decided in the admin site."""

    class Outcome(models.TextChoices):
        """What staff decided."""

        OPEN = "open"
        APPROVED = "approved"
        REJECTED = "rejected"

    id = IdField()
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="application")
    text = models.TextField(blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.OPEN, db_index=True)
    created_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "applications"

    def __str__(self) -> str:
        return str(self.user_id)


class Erasure(models.Model):
    """The erasure of one account over all contexts; it stays, as proof, with nothing of the account but its id."""

    id = IdField()
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="erasures")
    requested_at = models.DateTimeField(default=timezone.now)
    # When it begins: at once, or at the end of the grace period; a log-in before deletes the row.
    due_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True, blank=True)
    # The signed certificate, a JWS, once complete.
    certificate = models.TextField(null=True, blank=True)

    class Meta:
        db_table = "erasures"
        constraints = (models.UniqueConstraint(fields=["user"], name="erasures_once"),)
        indexes = (models.Index(fields=["completed_at", "asked_at"], name="erasures_due"),)

    def __str__(self) -> str:
        return str(self.id)


class Export(models.Model):
    """An archive of everything stored about an account: being built, ready for download, or deleted."""

    class Status(models.TextChoices):
        """How far it has come."""

        PROCESSING = "processing"
        READY = "ready"
        FAILED = "failed"

    id = IdField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="exports")
    # The session that asked for it: only this one can fetch the archive, while it lasts.
    session_id = models.BigIntegerField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROCESSING)
    # Where the archive lies in the storage; nobody can guess it.
    archive = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    requested_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "exports"
        indexes = (
            models.Index(fields=["status", "due_at"], name="exports_due"),
            models.Index(fields=["expires_at"], name="exports_expiry"),
        )

    def __str__(self) -> str:
        return str(self.id)


class ErasureAck(models.Model):
    """One context has erased its part: so many rows, by table (null: it did not say)."""

    id = IdField()
    erasure = models.ForeignKey(Erasure, on_delete=models.CASCADE, related_name="acks")
    context = models.CharField(max_length=30)
    erased_at = models.DateTimeField(default=timezone.now)
    rows = models.JSONField(null=True)

    class Meta:
        db_table = "erasure_acks"
        constraints = (models.UniqueConstraint(fields=["erasure", "context"], name="erasure_acks_once"),)

    def __str__(self) -> str:
        return f"{self.erasure_id} {self.context}"
