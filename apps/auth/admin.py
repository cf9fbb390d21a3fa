"""The admin pages of accounts. Roles and sessions are changed through actions; bans belong to moderation."""

from collections.abc import Callable
from typing import Any, cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.auth.views import PasswordChangeView
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from apps.auth import actions, queries
from apps.auth.models import (
    Application,
    Erasure,
    ErasureAck,
    Export,
    Invite,
    Mail,
    PasskeyChallenge,
    RecoveryCode,
    ReservedName,
    Role,
    Session,
    SigningKey,
    TotpDevice,
    User,
    UserRole,
)
from socialapp.core.errors import Problem
from socialapp.core.principal import ADMIN, MODERATOR
from socialapp.http.admin import ContextModelAdmin, act_link
from socialapp.http.admission import admit, client_address

_SESSION = "session_id"  # where the browser session keeps the id of ours
_DEVICE_COOKIE = "device"
_DAY = 86_400
_MAX_CREDENTIAL = 20_000  # characters of a passkey's answer


class StaffLoginForm(AdminAuthenticationForm):
    """The log-in of the admin site by password, with a second factor, or by passkey: limited like that of the API."""

    otp = forms.CharField(
        label="Code",
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
        help_text="Of your authenticator app, or a recovery code.",
    )

    passkey = forms.JSONField(required=False, widget=forms.HiddenInput, max_length=_MAX_CREDENTIAL)

    class Media:
        js = ("admin-passkey.js",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.data.get("passkey"):
            self.fields["username"].required = self.fields["password"].required = False

    def clean(self) -> dict[str, Any]:
        """Refuses too many attempts, wrong credentials, a missing or wrong code, and a passkey that does not hold."""
        if self.errors:
            return self.cleaned_data
        request = cast(HttpRequest, self.request)
        try:
            admit(principal=None, address=client_address(request), rate="login")
            self.user_cache = self._admitted(request)
        except Problem as problem:
            raise forms.ValidationError(problem.detail, code=problem.code) from None
        return self.cleaned_data

    def _admitted(self, request: HttpRequest) -> User:
        passkey = self.cleaned_data.get("passkey")
        if passkey is not None:
            return actions.admit_to_site_with_passkey(credential=passkey if isinstance(passkey, dict) else {})
        return actions.admit_to_site(
            login=self.cleaned_data["username"],
            password=self.cleaned_data["password"],
            otp=self.cleaned_data.get("otp"),
            device=_device(request),
        )


class StaffPasswordForm(AdminPasswordChangeForm):
    """The change of a password in the admin site, by the action that the API calls too."""

    request: HttpRequest

    def clean_old_password(self) -> str:
        """The present password; whether it is right is found out, and counted, with the change."""
        return str(self.cleaned_data["old_password"])

    def validate_password_for_user(self, user: Any, password_field_name: str = "") -> None:  # nosec B107
        """Left to the action."""

    def clean(self) -> dict[str, Any]:
        """Changes the password; a refusal is shown at the field, as Django's page shows no others."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            actions.change_password(
                user_id=self.user.pk,
                session_id=self.request.session.get(_SESSION),
                password=cleaned["old_password"],
                new_password=cleaned["new_password1"],
                device=_device(self.request),
            )
        except Problem as problem:
            detail = "; ".join(error.detail for error in problem.errors) or problem.detail
            field = "new_password1" if problem.errors else "old_password"
            self.add_error(field, forms.ValidationError(detail, code=problem.code))
        return cleaned

    def save(self, commit: bool = True) -> Any:
        """The account as it is now: the action has saved it."""
        self.user.refresh_from_db()
        return self.user


class _StaffPasswordView(PasswordChangeView):
    form_class = StaffPasswordForm

    def get_form(self, form_class: Any = None) -> Any:
        form: Any = super().get_form(form_class)
        form.request = self.request
        return form


def _change_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
    view = _StaffPasswordView.as_view(
        success_url=reverse("admin:password_change_done"),
        extra_context={**admin.site.each_context(request), **(extra_context or {})},
    )
    return view(request)


_site_login = admin.site.login


def _log_in(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Django's log-in page; who got in takes a token along that lets this browser in while strangers guess."""
    response = _site_login(request, extra_context)
    if request.method == "POST" and request.user.is_authenticated:
        response.set_cookie(
            _DEVICE_COOKIE,
            actions.device_token(user_id=int(request.user.pk)),
            max_age=actions.DEVICE_DAYS * _DAY,
            path=reverse("admin:index"),
            httponly=True,
            samesite="Strict",
            secure=settings.PUBLIC_URL.startswith("https://"),
        )
    return response


def _has_permission(request: HttpRequest) -> bool:
    """Whether the browser may use the admin site: its user is staff, and nobody has ended the session elsewhere."""
    user = request.user
    if not (user.is_authenticated and user.is_active and user.is_staff):
        return False
    return queries.is_live_session(int(request.session.get(_SESSION, 0)), user_id=int(user.pk))


admin.site.login_form = StaffLoginForm
admin.site.login_template = "admin/identity/login.html"
admin.site.login = _log_in  # type: ignore[method-assign]
admin.site.password_change = _change_password  # type: ignore[method-assign,assignment]
admin.site.has_permission = _has_permission  # type: ignore[method-assign]


@receiver(user_logged_in)
def _start_session(sender: type, request: HttpRequest, user: User, **kwargs: Any) -> None:
    request.session[_SESSION] = actions.start_site_session(user_id=user.id, device=_device(request))


@receiver(user_logged_out)
def _end_session(sender: type, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    session_id = int(request.session.get(_SESSION, 0))
    if user is not None and queries.is_live_session(session_id, user_id=user.id):
        actions.end_session(user_id=user.id, session_id=session_id)


def _device(request: HttpRequest) -> actions.Device:
    return actions.Device(
        user_agent=request.headers.get("User-Agent", ""),
        address=client_address(request),
        token=request.COOKIES.get(_DEVICE_COOKIE, "")[:500],
    )


for _model in (EmailAddress, Group, SocialAccount, SocialApp, SocialToken, Authenticator):
    if admin.site.is_registered(_model):  # elsewhere, with forms that would write behind the actions
        admin.site.unregister(_model)


class _RoleInline(admin.TabularInline[UserRole, User]):
    model = UserRole
    extra = 0
    can_delete = False
    readonly_fields = ("role",)
    fields = ("role",)


@admin.register(User)
class UserAdmin(ContextModelAdmin[User]):
    """Accounts; the password hash is shown to nobody."""

    list_display = (
        "id",
        "username",
        "email",
        "email_verified",
        "status",
        "roles",
        "created_at",
        act_link("user", field="id"),
    )
    search_fields = ("=id", "username_key", "email_key")
    list_filter = ("status", "email_verified", "user_roles__role", "oauth_provider")
    exclude = ("password",)
    inlines = (_RoleInline,)
    actions = ("make_moderator", "unmake_moderator", "make_admin", "unmake_admin", "end_sessions")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[User]":
        """With the roles fetched along."""
        return super().get_queryset(request).prefetch_related("user_roles__role")

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        """The names of the account's roles."""
        return ", ".join(sorted(held.role.name for held in user.user_roles.all()))

    @admin.action(description="Make moderator")
    def make_moderator(self, request: HttpRequest, users: "QuerySet[User]") -> None:
        """Grants the moderator role."""
        self._each(request, users, lambda user: actions.grant_role(user_id=user.id, role=MODERATOR), "made moderator")

    @admin.action(description="Take the moderator role")
    def unmake_moderator(self, request: HttpRequest, users: "QuerySet[User]") -> None:
        """Revokes the moderator role."""
        self._each(request, users, lambda user: actions.revoke_role(user_id=user.id, role=MODERATOR), "no moderator")

    @admin.action(description="Make administrator")
    def make_admin(self, request: HttpRequest, users: "QuerySet[User]") -> None:
        """Grants the admin role."""
        self._each(request, users, lambda user: actions.grant_role(user_id=user.id, role=ADMIN), "made administrator")

    @admin.action(description="Take the administrator role")
    def unmake_admin(self, request: HttpRequest, users: "QuerySet[User]") -> None:
        """Revokes the admin role; never one's own, so that one administrator is left."""
        others = users.exclude(id=request.user.pk or 0)
        self._each(request, others, lambda user: actions.revoke_role(user_id=user.id, role=ADMIN), "no administrator")

    @admin.action(description="End all sessions")
    def end_sessions(self, request: HttpRequest, users: "QuerySet[User]") -> None:
        """Signs the accounts out everywhere."""
        self._each(request, users, lambda user: actions.end_sessions_of(user_id=user.id), "signed out everywhere")

    def _each(self, request: HttpRequest, users: "QuerySet[User]", act: Callable[[User], None], what: str) -> None:
        for user in users:
            try:
                act(user)
            except Problem as problem:
                self.message_user(request, f"{user.username}: {problem.detail}", messages.ERROR)
            else:
                self.log_change(request, user, what)


@admin.register(Role)
class RoleAdmin(ContextModelAdmin[Role]):
    """The roles there are."""

    list_display = ("id", "name")
    search_fields = ("name",)


@admin.register(UserRole)
class UserRoleAdmin(ContextModelAdmin[UserRole]):
    """Who has which role."""

    is_internal = True
    list_display = ("id", "user", "role")
    list_select_related = ("user", "role")
    list_filter = ("role",)
    search_fields = ("user__username_key",)


@admin.register(Session)
class SessionAdmin(ContextModelAdmin[Session]):
    """Sign-ins."""

    list_display = ("id", "user", "kind", "user_agent", "address", "created_at", "last_used_at", "ended_at")
    list_select_related = ("user",)
    list_filter = ("ended_at",)
    search_fields = ("=id", "user__username_key", "address")
    exclude = ("token_digest", "previous_digest", "successor", "address_digest", "code_digest")


@admin.register(Mail)
class MailAdmin(ContextModelAdmin[Mail]):
    """Mails that wait to be sent; their details may hold codes."""

    is_internal = True
    exclude = ("details",)

    list_display = ("id", "kind", "user", "address", "attempts", "due_at")
    list_select_related = ("user",)
    list_filter = ("kind",)
    search_fields = ("address",)


@admin.register(TotpDevice)
class TotpDeviceAdmin(ContextModelAdmin[TotpDevice]):
    """Authenticator apps that are being set up."""

    is_internal = True
    list_display = ("id", "user", "created_at", "confirmed_at")
    list_select_related = ("user",)
    list_filter = ("confirmed_at",)
    search_fields = ("user__username_key",)
    exclude = ("secret",)


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(ContextModelAdmin[RecoveryCode]):
    """Recovery codes that were handed out before allauth kept them."""

    is_internal = True
    list_display = ("id", "user", "created_at")
    list_select_related = ("user",)
    list_filter = ("created_at",)
    search_fields = ("user__username_key",)
    exclude = ("digest",)


class _AckInline(admin.TabularInline[ErasureAck, Erasure]):
    model = ErasureAck
    extra = 0
    can_delete = False
    readonly_fields = ("context", "erased_at")
    fields = ("context", "erased_at")


@admin.register(Erasure)
class ErasureAdmin(ContextModelAdmin[Erasure]):
    """Erasures and how far they have come."""

    list_display = ("id", "user_id", "requested_at", "asked_at", "completed_at")
    list_filter = ("completed_at",)
    search_fields = ("=id", "=user__id")
    inlines = (_AckInline,)


@admin.register(Export)
class ExportAdmin(ContextModelAdmin[Export]):
    """Archives that people have asked for; where they lie is shown to nobody."""

    list_display = ("id", "user", "status", "attempts", "requested_at", "expires_at")
    list_select_related = ("user",)
    list_filter = ("status",)
    search_fields = ("=id", "user__username_key")
    exclude = ("archive",)


@admin.register(ErasureAck)
class ErasureAckAdmin(ContextModelAdmin[ErasureAck]):
    """Which context has erased its part when."""

    is_internal = True
    list_display = ("id", "erasure_id", "context", "erased_at")
    list_filter = ("context",)
    search_fields = ("=erasure__id",)


@admin.register(EmailAddress)
class EmailAddressAdmin(ContextModelAdmin[EmailAddress]):
    """The addresses of accounts; the pending ones are not primary."""

    is_internal = True
    list_display = ("id", "user", "email", "verified", "primary")
    list_select_related = ("user",)
    list_filter = ("verified", "primary")
    search_fields = ("email", "user__username_key")


@admin.register(SocialAccount)
class SocialAccountAdmin(ContextModelAdmin[SocialAccount]):
    """The accounts at providers that people have linked."""

    list_display = ("id", "user", "provider", "date_joined")
    list_select_related = ("user",)
    list_filter = ("provider",)
    search_fields = ("user__username_key",)


@admin.register(Authenticator)
class AuthenticatorAdmin(ContextModelAdmin[Authenticator]):
    """Second factors and passkeys; their secrets are shown to nobody."""

    is_internal = True
    list_display = ("id", "user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = ("type",)
    search_fields = ("user__username_key",)
    exclude = ("data",)


@admin.register(PasskeyChallenge)
class PasskeyChallengeAdmin(ContextModelAdmin[PasskeyChallenge]):
    """Log-ins and registrations with passkeys that were begun."""

    is_internal = True
    list_display = ("id", "user", "expires_at")
    list_select_related = ("user",)
    list_filter = ("expires_at",)
    search_fields = ("user__username_key",)
    exclude = ("digest", "state")


@admin.register(SigningKey)
class SigningKeyAdmin(ContextModelAdmin[SigningKey]):
    """The keys of tokens and certificates."""

    is_internal = True
    list_display = ("id", "kid", "created_at", "signs_from")
    search_fields = ("kid",)
    exclude = ("private_key",)


@admin.register(ReservedName)
class ReservedNameAdmin(ContextModelAdmin[ReservedName]):
    """Usernames that are kept free; of the deleted, nothing but a digest."""

    list_display = ("id", "user", "until")
    list_select_related = ("user",)
    list_filter = ("until",)
    search_fields = ("user__username_key",)


@admin.register(Invite)
class InviteAdmin(ContextModelAdmin[Invite]):
    """Invitations; made with `manage.py invites`."""

    list_display = ("id", "note", "uses_left", "created_at", "expires_at")
    list_filter = ("expires_at",)
    search_fields = ("note",)
    exclude = ("digest",)


@admin.register(Application)
class ApplicationAdmin(ContextModelAdmin[Application]):
    """Why people want to join; approved and rejected here."""

    list_display = ("id", "user", "text", "outcome", "created_at", "decided_at")
    list_select_related = ("user",)
    list_filter = ("outcome",)
    search_fields = ("user__username_key",)
    actions = ("approve", "reject")

    @admin.action(description="Approve")
    def approve(self, request: HttpRequest, applications: "QuerySet[Application]") -> None:
        """Opens the accounts."""
        self._each(request, applications, lambda row: actions.approve_application(application_id=row.id), "approved")

    @admin.action(description="Reject, and erase the account")
    def reject(self, request: HttpRequest, applications: "QuerySet[Application]") -> None:
        """Erases the accounts."""
        self._each(request, applications, lambda row: actions.reject_application(application_id=row.id), "rejected")

    def _each(
        self, request: HttpRequest, rows: "QuerySet[Application]", act: Callable[[Application], None], what: str
    ) -> None:
        for row in rows:
            try:
                act(row)
            except Problem as problem:
                self.message_user(request, f"{row.user_id}: {problem.detail}", messages.ERROR)
            else:
                self.log_change(request, row, what)
