"""Small pages for links in mails; they need no scripts. Opening one changes nothing, only its button does.

The key in the link is the proof, and cookies are ignored, so there is nothing for CSRF to exploit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import ErrorDetail, ValidationError

from apps.auth import access, actions, queries
from apps.auth.serializers import password_field
from apps.auth.views.cookies import set_device_token
from socialapp.contracts.moderation import Moderation
from socialapp.core.errors import Invalid, Problem
from socialapp.http.admission import admit, client_address
from socialapp.http.fields import Text
from socialapp.rpc.calls import client

_MAX_KEY, _MAX_APPEAL = 500, 2000


@dataclass(frozen=True, slots=True)
class Page:
    """One of the pages; `field` is the input beside the key, if any."""

    title: str
    explanation: str
    button: str
    done: str
    field: str
    act: Callable[[str, str], str]  # returns a device token, or ""


def _verify(key: str, _: str) -> str:
    actions.verify_email(key=key)
    return ""


def _reset(key: str, password: str) -> str:
    return actions.reset_password(key=key, password=_checked("password", password, takes=password_field()))


def _checked(name: str, text: str, *, takes: Text) -> str:
    """The value if the API would accept it for this field, else Invalid."""
    try:
        return str(takes.run_validation(text.replace("\r\n", "\n")))
    except ValidationError as error:
        detail = cast(list[ErrorDetail], error.detail)[0]
        raise Invalid.of(name, str(detail.code), str(detail)) from None


def _appeal(key: str, text: str) -> str:
    user_id, action_id = actions.read_appeal_key(key)
    text = _checked("text", text, takes=Text(multiline=True, max_length=_MAX_APPEAL))
    client(Moderation).file_appeal(user_id=user_id, action_id=action_id, text=text)
    return ""


def _export_link(key: str, *, is_asked: bool) -> dict[str, str]:
    """The state of the export for the banned person with this key; requests one first if `is_asked`."""
    user_id, _ = actions.read_appeal_key(key)
    if queries.account(user_id).status != "banned":
        raise Invalid.of("key", "key_invalid", "This link is no longer valid.")
    if is_asked:
        actions.request_export(user_id=user_id, session_id=None)
    export = queries.export_of_banned(user_id)
    if export is None:
        return {"export": "none"}
    if not export.has_archive:
        return {"export": export.status}
    return {
        "export": "ready",
        "export_url": f"/v1/auth/exports/{export.id}/archive?key={access.archive_key(export.id)}",
    }


_VERIFY = Page(
    title="Confirm your e-mail address",
    explanation="Confirm that the address this link was mailed to is yours.",
    button="Confirm",
    done="Your e-mail address is confirmed.",
    field="",
    act=_verify,
)
_RESET = Page(
    title="Set a new password",
    explanation="All devices are signed out when the password changes.",
    button="Set the password",
    done="Your new password is set; log in with it.",
    field="password",
    act=_reset,
)
_APPEAL = Page(
    title="Appeal",
    explanation="A different moderator will review your appeal and write to you.",
    button="Send the appeal",
    done="We have received your appeal.",
    field="text",
    act=_appeal,
)


def _answer(request: HttpRequest, page: Page) -> HttpResponse:
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    sent = request.POST if request.method == "POST" else request.GET
    context = {
        "title": page.title,
        "explanation": page.explanation,
        "button": page.button,
        "field": page.field,
        "key": sent.get("key", "")[:_MAX_KEY],
        "longest": _MAX_APPEAL,
        "typed": request.POST.get("text", ""),  # shown again if it is rejected
        "instance": settings.INSTANCE_NAME,
    }
    status, token = 200, ""
    wants_export = page is _APPEAL and request.method == "POST" and "export" in request.POST
    if request.method == "POST" and not wants_export:
        try:
            admit(principal=None, address=client_address(request), rate="login")
            token = page.act(str(context["key"]), request.POST.get(page.field, ""))
            context["done"] = page.done
        except Problem as problem:
            status = problem.status
            context["problem"] = " ".join(error.detail for error in problem.errors) or problem.detail
    if page is _APPEAL and context["key"] and status == 200:
        try:
            admit(principal=None, address=client_address(request), rate="login")
            context.update(_export_link(str(context["key"]), is_asked=wants_export))
        except Problem as problem:
            if wants_export:
                status, context["problem"] = problem.status, problem.detail
    response = render(request, "auth/pages/page.html", context, status=status)
    if token:
        set_device_token(response, token)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


@csrf_exempt
def verify_email(request: HttpRequest) -> HttpResponse:
    """/auth/verify-email."""
    return _answer(request, _VERIFY)


@csrf_exempt
def reset_password(request: HttpRequest) -> HttpResponse:
    """/auth/reset-password."""
    return _answer(request, _RESET)


@csrf_exempt
def appeal(request: HttpRequest) -> HttpResponse:
    """/auth/appeal."""
    return _answer(request, _APPEAL)
