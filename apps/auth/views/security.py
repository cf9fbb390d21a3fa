"""Views for confirmations, second factors, passkeys and linked providers."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.auth import actions, presenters, queries
from apps.auth.serializers import (
    CodeInput,
    ConfirmedBody,
    ConfirmInput,
    CredentialInput,
    LinkedProviderBody,
    LinkInput,
    OptionalCodeInput,
    PasskeyBody,
    PasskeyOptionsBody,
    RecoveryCodesBody,
    TotpBody,
    TotpSecretBody,
)
from apps.auth.views.auth_view import AuthView
from apps.auth.views.cookies import browser_of, device_of
from socialapp.core.errors import Invalid
from socialapp.http.fields import Input
from socialapp.http.idempotency import create_once, replayed
from socialapp.http.pagination import page_request, page_response
from socialapp.http.schema import PAGE_PARAMETERS, page_of


class ConfirmView(AuthView):
    """`/auth/confirm`."""

    @extend_schema(
        summary="Confirm the session",
        description="Send one of `password`, `otp` (from the authenticator app, or a recovery code), `passkey` (the"
        " answer to POST /auth/login/passkey/options) and `code` (mailed by POST /auth/confirm/code). For five minutes"
        " this session may then make the changes that otherwise return 403 with `confirmation_required`.",
        request=ConfirmInput,
        responses={200: ConfirmedBody},
    )
    def post(self, request: Request) -> Response:
        """200 with the time at which the confirmation expires."""
        user_id, session_id = self.principal.id, self.principal.session
        ((method, proof),) = self.read_input(ConfirmInput).items()
        until = actions.confirm_session(
            user_id=user_id, session_id=session_id, method=method, proof=proof, device=device_of(request)
        )
        return Response({"confirmed_until": until})


class ConfirmationCodeView(AuthView):
    """`/auth/confirm/code`."""

    rate = "login"

    @extend_schema(summary="Request a mailed code to confirm the session", request=None, responses={202: None})
    def post(self, request: Request) -> Response:
        """202; a mail is on its way."""
        self.read_input(Input)
        actions.mail_confirmation_code(user_id=self.principal.id, session_id=self.principal.session)
        return Response(status=202)


class TotpView(AuthView):
    """`/auth/totp`."""

    has_idempotency_key = True

    @extend_schema(summary="Get whether an authenticator app is set up", responses={200: TotpBody})
    def get(self, request: Request) -> Response:
        """200 with `enabled`."""
        return Response({"enabled": queries.has_totp(self.principal.id)})

    @extend_schema(
        summary="Set up an authenticator app",
        description="Needs a confirmed session. Returns a secret, in force once a code confirms it. 409 if one is in"
        " force already.",
        request=None,
        responses={201: TotpSecretBody},
    )
    def post(self, request: Request) -> Response:
        """201 with the secret."""
        self.read_input(Input)
        self.require_confirmation()

        def create() -> tuple[int, dict[str, object]]:
            made = actions.start_totp(user_id=self.principal.id)
            return 201, {"secret": made.secret, "otpauth_url": made.otpauth_url}

        return create_once(request, context="auth", create=create)

    @extend_schema(
        summary="Remove the authenticator app",
        description="Needs a confirmed session, and a code unless a second factor confirmed it.",
        request=OptionalCodeInput,
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        """204; log-in no longer requires a code."""
        code = self.read_input(OptionalCodeInput).get("code")
        confirmed_by = self.require_confirmation()
        if code is None and confirmed_by not in actions.SECOND_FACTORS:
            raise Invalid.of("code", "required", "A code from the authenticator app or a recovery code is needed.")
        actions.remove_totp(user_id=self.principal.id, code=code)
        return Response(status=204)


class ConfirmTotpView(AuthView):
    """`/auth/totp/confirm`."""

    rate = "login"

    @extend_schema(
        summary="Confirm the authenticator app",
        description="From now on log-in requires a code. The recovery codes are shown only now.",
        request=CodeInput,
        responses={200: RecoveryCodesBody},
    )
    def post(self, request: Request) -> Response:
        """200 with the recovery codes."""
        fields = self.read_input(CodeInput)
        return Response({"recovery_codes": actions.confirm_totp(user_id=self.principal.id, code=fields["code"])})


class PasskeysView(AuthView):
    """`/auth/passkeys`."""

    has_idempotency_key = True
    location = "/v1/auth/passkeys/{id}"

    @extend_schema(
        summary="List your passkeys",
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(PasskeyBody)},
    )
    def get(self, request: Request) -> Response:
        """200 with a page of passkeys, newest first; there are at most twenty."""
        page = queries.passkeys(user_id=self.principal.id, page=page_request(request))
        return page_response(request, page=page, results=[presenters.passkey_body(one) for one in page.items])

    @extend_schema(
        summary="Add a passkey",
        description="Needs a confirmed session, by a second factor if the account has an authenticator app. Send what"
        " `navigator.credentials.create` returned for the options, and a name for the passkey.",
        request=CredentialInput,
        responses={201: PasskeyBody},
    )
    def post(self, request: Request) -> Response:
        """201 with the passkey."""
        fields = self.read_input(CredentialInput)
        self.require_confirmation_for_passkey()
        if answer := replayed(request, context="auth"):
            return answer
        user_id, credential = self.principal.id, fields["credential"]
        data = actions.verify_new_passkey(user_id=user_id, credential=credential)

        def create() -> tuple[int, dict[str, object]]:
            name = fields.get("name") or "Passkey"
            made = actions.add_passkey(user_id=user_id, name=name, credential=credential, data=data)
            return 201, presenters.passkey_body(made)

        return create_once(request, context="auth", create=create)


class PasskeyOptionsView(AuthView):
    """`/auth/passkeys/options`."""

    @extend_schema(
        summary="Get the options for creating a passkey",
        description="Needs a confirmed session, by a second factor if the account has an authenticator app. The"
        " challenge is valid for one answer, within five minutes.",
        request=None,
        responses={200: PasskeyOptionsBody},
    )
    def post(self, request: Request) -> Response:
        """200 with the options."""
        self.read_input(Input)
        self.require_confirmation_for_passkey()
        return Response(actions.begin_registration(user_id=self.principal.id))


class PasskeyView(AuthView):
    """`/auth/passkeys/{id}`."""

    @extend_schema(
        summary="Remove a passkey", description="Needs a confirmed session.", request=None, responses={204: None}
    )
    def delete(self, request: Request, passkey_id: int) -> Response:
        """204; nobody can log in with it any more."""
        user_id = self.principal.id
        self.require_confirmation()
        actions.remove_passkey(user_id=user_id, passkey_id=passkey_id)
        return Response(status=204)


class LinkedProvidersView(AuthView):
    """`/auth/social`."""

    @extend_schema(
        summary="List linked providers",
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(LinkedProviderBody)},
    )
    def get(self, request: Request) -> Response:
        """200 with a page of them, newest first."""
        return _linked_page(request, self.principal.id)


class LinkProviderView(AuthView):
    """`/auth/social/{provider}/link`."""

    rate = "login"

    @extend_schema(
        summary="Link a provider",
        description="Needs a confirmed session. 409 if the account at the provider is linked to somebody else's"
        " account here.",
        request=LinkInput,
        responses={200: page_of(LinkedProviderBody)},
    )
    def post(self, request: Request, provider: str) -> Response:
        """200 with the first page of linked providers."""
        fields = self.read_input(LinkInput)
        self.require_confirmation()
        profile = actions.fetch_profile(provider=provider, browser=browser_of(request), **fields)
        actions.link_provider(user_id=self.principal.id, profile=profile)
        return _linked_page(request, self.principal.id)


def _linked_page(request: Request, user_id: int) -> Response:
    page = queries.linked_providers(user_id=user_id, page=page_request(request))
    return page_response(request, page=page, results=[presenters.linked_provider_body(one) for one in page.items])
