"""Log-in to the admin site: second factors, limits, and sessions that can be ended elsewhere."""

from typing import Any, cast

import orjson
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.auth.views import PasswordChangeView
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from apps.auth import actions, queries
from apps.auth.models import (
    User,
)
from socialapp.core.errors import Problem
from socialapp.http.admission import admit, client_address

_SESSION = "session_id"  # the key in Django's session for the id of ours
_DEVICE_COOKIE = "device"
_DAY = 86_400
_MAX_CREDENTIAL = 20_000  # characters of a passkey's answer


class StaffLoginForm(AdminAuthenticationForm):
    """The log-in form of the admin site: password with a second factor, or passkey; limited like the API's."""

    otp = forms.CharField(
        label="Code",
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
        help_text="From your authenticator app, or a recovery code.",
    )

    passkey = forms.CharField(required=False, widget=forms.HiddenInput, max_length=_MAX_CREDENTIAL)

    class Media:
        js = ("admin-passkey.js",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.data.get("passkey"):
            self.fields["username"].required = self.fields["password"].required = False

    def clean(self) -> dict[str, Any]:
        """Refuses too many attempts, wrong credentials, a missing or wrong code, and a passkey that is not valid."""
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
        if passkey := self.cleaned_data.get("passkey"):
            return actions.admit_to_site_with_passkey(credential=_object_in(passkey))
        return actions.admit_to_site(
            login=self.cleaned_data["username"],
            password=self.cleaned_data["password"],
            otp=self.cleaned_data.get("otp"),
            device=_device(request),
        )


def _object_in(text: str) -> dict[str, Any]:
    """The JSON object in a text; an empty one if it is anything else."""
    try:
        found = orjson.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class StaffPasswordForm(AdminPasswordChangeForm):
    """The password form of the admin site; it calls the same action as the API."""

    request: HttpRequest

    def clean_old_password(self) -> str:
        """The present password; the action checks it, and counts the attempt."""
        return str(self.cleaned_data["old_password"])

    def validate_password_for_user(self, user: Any, password_field_name: str = "") -> None:  # nosec B107
        """Left to the action."""

    def clean(self) -> dict[str, Any]:
        """Changes the password; a refusal is shown at the field, because Django's page shows no other errors."""
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
        """The account as the action has saved it."""
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
    """Django's log-in page, which also sets the device token after a log-in."""
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
    """Whether the browser may use the admin site: the user is staff, and the session was not ended elsewhere."""
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
