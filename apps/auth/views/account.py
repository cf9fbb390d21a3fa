"""Views for the account itself, its sessions, exports and erasure, and the key set."""

from typing import Any

import jwt
from django.conf import settings
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.auth import access, actions, presenters, queries
from apps.auth.serializers import (
    DeleteInput,
    ErasureBody,
    ErasureStartedBody,
    ExportBody,
    InstanceBody,
    KeySetBody,
    MeInput,
    SessionBody,
    UserBody,
)
from apps.auth.views.auth_view import AuthView
from apps.auth.views.cookies import device_of
from socialapp.core.contexts import serves
from socialapp.core.errors import Invalid
from socialapp.http.etags import expected_versions, single
from socialapp.http.fields import Input
from socialapp.http.idempotency import create_once
from socialapp.http.pagination import page_request, page_response
from socialapp.http.permissions import Public, PublicRead
from socialapp.http.schema import PAGE_PARAMETERS, page_of
from socialapp.http.tokens import ALGORITHM


class SessionsView(AuthView):
    """`/auth/sessions`."""

    @extend_schema(
        summary="List your sessions",
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(SessionBody)},
    )
    def get(self, request: Request) -> Response:
        """200 with a page of sessions, newest first."""
        page = queries.live_sessions(user_id=self.principal.id, page=page_request(request))
        current_id = self.principal.session
        return page_response(
            request,
            page=page,
            results=[presenters.session_body(session, current_id=current_id) for session in page.items],
        )

    @extend_schema(operation_id="auth_sessions_delete_others", summary="End all other sessions", responses={204: None})
    def delete(self, request: Request) -> Response:
        """204; all sessions but this one have ended."""
        actions.end_other_sessions(user_id=self.principal.id, session_id=self.principal.session)
        return Response(status=204)


class SessionView(AuthView):
    """`/auth/sessions/{id}`."""

    @extend_schema(summary="End a session", responses={204: None})
    def delete(self, request: Request, session_id: int) -> Response:
        """204; the session has ended."""
        actions.end_session(user_id=self.principal.id, session_id=session_id)
        return Response(status=204)


class MeView(AuthView):
    """`/auth/me`."""

    hot_methods = ("GET",)
    has_etag = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Rate-limited as a log-in, since deleting may take the password: a stolen token must not guess it."""
        if request.method == "DELETE":
            self.rate = "login"
        super().initial(request, *args, **kwargs)

    @extend_schema(summary="Get your account", responses={200: UserBody})
    def get(self, request: Request) -> Response:
        """200 with the caller's user."""
        return self._answer(request, queries.account(self.principal.id))

    @extend_schema(
        summary="Change your account",
        description="A new username or e-mail address needs a confirmed session. A username can be changed once a"
        " day; the former one stays reserved for its owner for a month, and a taken one is 409. A new address is"
        " `pending_email` until the key mailed to it is sent to /auth/verify-email. The response is the same for an"
        " address of another account.",
        request=MeInput,
        responses={200: UserBody},
    )
    def patch(self, request: Request) -> Response:
        """200 with the caller's user."""
        fields = self.read_account(MeInput)
        user_id = self.principal.id
        if errors := actions.account_errors(**fields):
            raise Invalid("some fields are not valid", errors=errors)
        if "username" in fields or (
            "email" in fields and actions.is_new_address(user_id=user_id, email=fields["email"])
        ):
            self.require_confirmation()
        if "username" in fields:
            access.refuse_username(account=queries.account(user_id), username=fields["username"])
        changed = actions.change_account(user_id=user_id, versions=expected_versions(request), **fields)
        return self._answer(request, changed)

    @extend_schema(
        summary="Delete the own account",
        description="The account is hidden at once, and its data is erased everywhere in the following minutes. With"
        " a configured grace period the erasure starts at its end, and logging in before cancels it. Needs the"
        " password or a confirmed session.",
        request=DeleteInput,
        responses={202: ErasureStartedBody},
    )
    def delete(self, request: Request) -> Response:
        """202 with the id of the erasure."""
        password = self.read_input(DeleteInput).get("password")
        if password is None:
            self.require_confirmation()
        erasure_id = actions.delete_account(
            user_id=self.principal.id,
            password=password,
            versions=expected_versions(request),
            device=device_of(request),
        )
        return Response({"erasure_id": str(erasure_id)}, status=202)

    def _answer(self, request: Request, account: queries.Account) -> Response:
        return single(request, body=presenters.user_body(account, with_email=True), version=account.version)


class ExportsView(AuthView):
    """`/auth/me/export`."""

    has_idempotency_key = True

    @extend_schema(
        summary="Request an export of your data",
        description="Needs a confirmed session. An archive is built in the background, for this session only. While"
        " one is being built, that one is returned again. At most five a day.",
        request=None,
        responses={202: ExportBody},
    )
    def post(self, request: Request) -> Response:
        """202 with the export."""
        self.read_input(Input)
        self.require_confirmation()
        user_id, session_id = self.principal.id, self.principal.session

        def create() -> tuple[int, dict[str, object]]:
            return 202, presenters.export_body(actions.request_export(user_id=user_id, session_id=session_id), url=None)

        return create_once(request, context="auth", create=create)


class ExportView(AuthView):
    """`/auth/exports/{id}`."""

    has_etag = True

    @extend_schema(
        summary="Get the progress of an export",
        description="Once ready, `url` is a link that downloads the archive without a token, for five minutes, as"
        " long as the session lasts.",
        responses={200: ExportBody},
    )
    def get(self, request: Request, export_id: int) -> Response:
        """200 with the export."""
        export = queries.own_export(export_id, user_id=self.principal.id, session_id=self.principal.session)
        url = None
        if export.has_archive:
            url = request.build_absolute_uri(f"{request.path}/archive?key={access.archive_key(export_id)}")
        return single(request, body=presenters.export_body(export, url=url), version=0)


class ArchiveView(AuthView):
    """`/auth/exports/{id}/archive`."""

    permission_classes = [Public]

    @extend_schema(
        summary="Download the archive of an export",
        parameters=[OpenApiParameter("key", str, required=True, description="From the link of the export.")],
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, export_id: int) -> HttpResponseBase:
        """200 with a ZIP file."""
        access.check_archive_key(export_id, key=request.query_params.get("key", ""))
        response = _archive(actions.find_archive(export_id=export_id))
        response["Content-Type"] = "application/zip"
        response["Content-Disposition"] = f'attachment; filename="export-{export_id}.zip"'
        response["Cache-Control"] = "no-store"
        return response


def _archive(name: str) -> HttpResponseBase:
    """From the gateway, if it has the folder, which is that of media: slow clients would occupy all threads."""
    if settings.MEDIA_ACCEL and not settings.MEDIA_STORE_URL and serves("posts"):
        return HttpResponse(headers={"X-Accel-Redirect": f"/_media/{name}"})
    return FileResponse(actions.open_archive(name))


class ErasureView(AuthView):
    """`/auth/erasures/{id}`."""

    authentication_classes = ()  # a token, if sent, was revoked with the account
    permission_classes = [Public]
    has_etag = True

    @extend_schema(
        summary="Get the progress of an erasure",
        description="Needs no token, as the account no longer exists. The response has no personal data.",
        responses={200: ErasureBody},
    )
    def get(self, request: Request, erasure_id: int) -> Response:
        """200 with every context and when it erased its data."""
        return single(request, body=presenters.erasure_body(queries.erasure_progress(erasure_id)), version=0)


class UserView(AuthView):
    """`/users/{id}`."""

    has_etag = True
    permission_classes = [PublicRead]

    @extend_schema(
        summary="Get an account", description="`email` only for its owner and staff.", responses={200: UserBody}
    )
    def get(self, request: Request, user_id: int) -> Response:
        """200 with the user."""
        is_staff = bool(request.user and request.user.is_staff)
        account = access.visible_account(user_id, viewer_id=self.viewer, is_staff=is_staff)
        access.require_no_block(user_id, viewer_id=self.viewer, is_staff=is_staff)
        is_own = self.viewer == user_id
        body = presenters.user_body(account, with_email=is_staff or is_own)
        # Others would see in the version when the password, or a pending address, is changed.
        return single(request, body=body, version=account.version if is_own else 0)


class KeySetView(AuthView):
    """`/.well-known/jwks.json`."""

    permission_classes = [Public]

    @extend_schema(
        operation_id="jwks", summary="Get the keys that verify access tokens", responses={200: KeySetBody}, auth=[]
    )
    def get(self, request: Request) -> Response:
        """200 with a JSON Web Key Set. Source: RFC 7517."""
        keys = [
            {"kty": "RSA", "n": numbers["n"], "e": numbers["e"], "use": "sig", "alg": ALGORITHM, "kid": kid}
            for kid, key in actions.verification_keys().items()
            for numbers in [jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True)]
        ]
        return Response({"keys": keys}, headers={"Cache-Control": "public, max-age=300"})


class InstanceView(AuthView):
    """`/instance`."""

    permission_classes = [Public]
    has_etag = True

    @extend_schema(summary="Get the facts about this installation", responses={200: InstanceBody}, auth=[])
    def get(self, request: Request) -> Response:
        """200 with its name, rules, ways to join and limits."""
        answer = single(request, body=presenters.instance_body(rules=access.instance_rules()), version=0)
        answer["Cache-Control"] = "public, max-age=60"
        return answer
