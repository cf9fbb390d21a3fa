"""The tables of accounts: users, their roles, sign-ins, mails on their way, and erasures."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.management import CommandError
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from socialapp.core.db import IdField
from socialapp.core.principal import ADMIN, MODERATOR

MODERATION_LABEL = "moderation"


class UserManager(BaseUserManager["User"]):
    """Finds accounts by name for Django's own log-in; accounts are made by actions, which also tell the others."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The account called `username`, compared without case."""
        return self.get(username_key=(username or "").casefold())

    def create_superuser(self, *args: object, **fields: object) -> "User":
        """Refused: `createsuperuser` would make an account that no other context hears of."""
        raise CommandError("use manage.py create_admin")


class User(AbstractBaseUser):
    """An account. A deleted one stays as a tombstone that holds nothing but its id."""

    class Status(models.TextChoices):
        """Whether the account may be used."""

        ACTIVE = "active"
        BANNED = "banned"
        DELETED = "deleted"

    id = IdField()
    username = models.CharField(max_length=30, unique=True)
    # Unique without case on every database, whatever its collation.
    username_key = models.CharField(max_length=30, unique=True)
    email = models.CharField(max_length=254)
    email_key = models.CharField(max_length=254, unique=True, null=True)
    full_name = models.CharField(max_length=100, blank=True)
    password = models.CharField(max_length=128, db_column="password_hash")
    oauth_provider = models.CharField(max_length=20, null=True, blank=True)
    oauth_id = models.CharField(max_length=190, null=True, blank=True)
    email_verified = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    sanctioned_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, db_index=True)
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
    """A named right: admin or moderator."""

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
    """A sign-in on one device: the family of refresh tokens that came one from the other."""

    id = IdField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    # SHA-256 of the one refresh token that counts; every earlier one of the family is spent.
    token_digest = models.CharField(max_length=64)
    user_agent = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=45, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        db_table = "sessions"

    def __str__(self) -> str:
        return str(self.id)


class TotpDevice(models.Model):
    """An authenticator app of an account; it counts once a code of it has confirmed it."""

    id = IdField()
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="totp_device")
    # Encrypted under a key derived from SECRET_KEY: the table alone lets nobody make codes.
    secret = models.CharField(max_length=200)
    # The time step of the last code accepted: none is good twice.
    last_step = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "totp_devices"

    def __str__(self) -> str:
        return str(self.user_id)


class RecoveryCode(models.Model):
    """A code that stands in for the authenticator app once; it is deleted when used."""

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

    A wanted password reset names an address only, known or not: the request costs the same either way.
    """

    class Kind(models.TextChoices):
        """What the mail says."""

        VERIFY_EMAIL = "verify_email"
        RESET_PASSWORD = "reset_password"  # noqa: S105 (a kind of mail)
        EMAIL_CHANGED = "email_changed"
        PASSWORD_CHANGED = "password_changed"  # noqa: S105 (a kind of mail)

    id = IdField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="mails")
    address = models.CharField(max_length=254)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        db_table = "mails"

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Erasure(models.Model):
    """The erasure of one account over all contexts; it stays, as proof, with nothing of the account but its id."""

    id = IdField()
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="erasures")
    requested_at = models.DateTimeField(default=timezone.now)
    asked_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "erasures"
        constraints = (models.UniqueConstraint(fields=["user"], name="erasures_once"),)
        indexes = (models.Index(fields=["completed_at", "asked_at"], name="erasures_due"),)

    def __str__(self) -> str:
        return str(self.id)


class Export(models.Model):
    """An archive of everything held about an account, being made, waiting to be fetched, or gone again."""

    class Status(models.TextChoices):
        """How far it has come."""

        PROCESSING = "processing"
        READY = "ready"
        FAILED = "failed"

    id = IdField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="exports")
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
    """One context has erased its part."""

    id = IdField()
    erasure = models.ForeignKey(Erasure, on_delete=models.CASCADE, related_name="acks")
    context = models.CharField(max_length=30)
    erased_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "erasure_acks"
        constraints = (models.UniqueConstraint(fields=["erasure", "context"], name="erasure_acks_once"),)

    def __str__(self) -> str:
        return f"{self.erasure_id} {self.context}"
