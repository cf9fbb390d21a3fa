"""The tables of accounts: users, their roles, sessions, queued mails, exports and erasures.

E-mail addresses, linked providers, authenticator apps, recovery codes and passkeys are in django-allauth's tables.
"""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.management import CommandError
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from socialapp.core.db import IdField
from socialapp.core.principal import ADMIN, MODERATOR

MODERATION_LABEL = "moderation"
LOCAL = "local"  # `oauth_provider` of accounts that were not created with a provider


class UserManager(BaseUserManager["User"]):
    """Finds accounts by name for Django's own log-in; accounts are created by actions, which also publish events."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The account called `username`, compared without case."""
        return self.get(username_key=(username or "").casefold())

    def create_superuser(self, *args: object, **fields: object) -> "User":
        """Refused: `createsuperuser` would create an account unknown to the other contexts."""
        raise CommandError("use manage.py create_admin")


class User(AbstractBaseUser):
    """An account. A deleted one stays as a tombstone with nothing but its id."""

    class Status(models.TextChoices):
        """Whether the account may be used."""

        ACTIVE = "active"
        BANNED = "banned"
        DELETED = "deleted"
        PENDING = "pending"  # waits for approval by staff

    id = IdField()
    username = models.CharField(max_length=30, unique=True)
    # Unique without regard to case on every database, whatever its collation.
    username_key = models.CharField(max_length=30, unique=True)
    # The common form of names that look alike (UTS #39); not unique, as older names may clash.
    username_skeleton = models.CharField(max_length=60, db_default="", db_index=True, blank=True)
    # The skeleton again, unique, for names given since look-alikes are refused: it decides between concurrent requests.
    username_claim = models.CharField(max_length=60, unique=True, null=True, blank=True)
    email = models.CharField(max_length=254)
    email_key = models.CharField(max_length=254, unique=True, null=True)
    # The mailbox behind the address, without the dots and tags that its provider ignores.
    email_mailbox = models.CharField(max_length=254, unique=True, null=True, blank=True)
    full_name = models.CharField(max_length=100, blank=True)
    password = models.CharField(max_length=128, db_column="password_hash")
    # The provider the account was created with or first joined to; all linked ones are allauth's SocialAccount rows.
    oauth_provider = models.CharField(max_length=20, null=True, blank=True, default=LOCAL)
    oauth_id = models.CharField(max_length=190, null=True, blank=True)
    email_verified = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    sanctioned_at = models.DateTimeField(null=True, blank=True)
    # Set while a moderator requires a new password; `…_at` is the moment of the latest decision about it.
    must_reset_password = models.BooleanField(default=False, db_default=False)
    must_reset_password_at = models.DateTimeField(null=True, blank=True)
    # Set during the grace period of a deletion.
    deletion_due_at = models.DateTimeField(null=True, blank=True, db_index=True)
    deleted_at = models.DateTimeField(null=True, blank=True, db_index=True)
    # Tokens issued before it may contain other roles than the account has.
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
        """Whether the account may log in; Django's admin reads it."""
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
    """A named role: admin, moderator, or user, which everybody has."""

    id = IdField()
    name = models.CharField(max_length=30, unique=True)

    class Meta:
        db_table = "roles"

    def __str__(self) -> str:
        return self.name


class UserRole(models.Model):
    """A role of an account."""

    id = IdField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="user_roles")
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="user_roles")

    class Meta:
        db_table = "user_roles"
        constraints = (models.UniqueConstraint(fields=["user", "role"], name="user_roles_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.role_id}"


class Session(models.Model):
    """A log-in on one device (a family of refresh tokens, each derived from the one before) or to the admin site."""

    class Kind(models.TextChoices):
        """What the session is for."""

        API = "api"
        SITE = "site"

    id = IdField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.API, db_default="api")
    # SHA-256 of the current refresh token; all earlier ones of the family are spent.
    token_digest = models.CharField(max_length=64)
    # The digest of its predecessor, and the current token encrypted under that: for two refreshes at the same moment.
    previous_digest = models.CharField(max_length=64, db_default="", blank=True)
    successor = models.CharField(max_length=400, db_default="", blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    # The client's address range, and a keyed digest of the address (of the /64 for IPv6).
    address = models.CharField(max_length=45, blank=True)
    address_digest = models.CharField(max_length=64, db_default="", blank=True)
    # Until when this session is confirmed for sensitive changes, and by which method.
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
    """A WebAuthn ceremony in progress: answering it deletes the row, so that no answer is valid twice."""

    id = IdField()
    digest = models.CharField(max_length=64, unique=True)
    # The user whose passkey is being registered; empty for a log-in.
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="passkey_challenges")
    state = models.JSONField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "passkey_challenges"

    def __str__(self) -> str:
        return str(self.id)


class TotpDevice(models.Model):
    """An authenticator app that is being set up; once confirmed by a code, it becomes allauth's Authenticator."""

    id = IdField()
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="totp_device")
    # Encrypted under a key derived from SECRET_KEY: the table alone is not enough to generate codes.
    secret = models.CharField(max_length=200)
    last_step = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "totp_devices"

    def __str__(self) -> str:
        return str(self.user_id)


class RecoveryCode(models.Model):
    """A recovery code issued before allauth stored them; it is deleted when used."""

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
    """A queued mail: committed with the change it reports.

    A requested password reset has only an address, known or not: the request takes equally long either way.
    """

    class Kind(models.TextChoices):
        """The kinds of mail; each has its templates in `templates/auth/mail`."""

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
        UNBANNED = "unbanned"
        PASSWORD_RESET_WAIVED = "password_reset_waived"  # noqa: S105 (a kind of mail)

    id = IdField()
    kind = models.CharField(max_length=30, choices=Kind.choices)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="mails")
    address = models.CharField(max_length=254)
    # What the templates need beside the account: ids, codes, times, devices; never free text of strangers.
    details = models.JSONField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        db_table = "mails"

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class SigningKey(models.Model):
    """A key that signs access tokens and certificates, beside the one of the settings; see `manage.py keys rotate`."""

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
    """A username that is reserved for a while after its account was deleted (only a digest) or renamed."""

    id = IdField()
    digest = models.CharField(max_length=64, unique=True)
    # The former owner, renamed since; empty after a deletion.
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="former_names")
    until = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "reserved_names"

    def __str__(self) -> str:
        return str(self.id)


class Invite(models.Model):
    """A code to register with while registration is by invitation."""

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
    """The erasure of one account over all contexts; kept as proof, with nothing of the account but its id."""

    id = IdField()
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="erasures")
    requested_at = models.DateTimeField(default=timezone.now)
    # When it starts: at once, or after the grace period; a log-in before that deletes the row.
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
        """The progress."""

        PROCESSING = "processing"
        READY = "ready"
        FAILED = "failed"

    id = IdField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="exports")
    # The session that requested it: only this one can download the archive, while it lasts.
    session_id = models.BigIntegerField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROCESSING)
    # The storage key of the archive; it cannot be guessed.
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
    """A context's report that it has erased its data: the number of rows, by table (null: not reported)."""

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
