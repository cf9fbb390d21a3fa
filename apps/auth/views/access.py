"""Getting in and out: sign-up, log-in, tokens, mailed keys, passwords, providers, second factors."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.auth import actions, queries
from apps.auth.serializers import (
    AuthorizeBody,
    ChangePasswordInput,
    CodeInput,
    EmailInput,
    KeyInput,
    LoginInput,
    RecoveryCodesBody,
    RefreshInput,
    RegisterInput,
    ResendInput,
    ResetInput,
    SignedInBody,
    SocialInput,
    TokensBody,
    TotpSecretBody,
    signed_in_body,
    tokens_body,
)
from socialapp.http.admission import client_address, reset_attempts
from socialapp.http.fields import Input
from socialapp.http.idempotency import create_once, replayed
from socialapp.http.permissions import Public
from socialapp.http.views import View


def _device(request: Request) -> actions.Device:
    return actions.Device(user_agent=request.META.get("HTTP_USER_AGENT", ""), address=client_address(request))


class _LimitedByField(View):
    """A route that is guessed at: tries count for the account they are about, whoever makes them."""

    permission_classes = [Public]
    rate = "login"
    subject_field = ""

    def limit_subject(self, request: Request) -> str:
        """A digest of the field that names the account."""
        value = request.data.get(self.subject_field) if isinstance(request.data, dict) else None
        if not isinstance(value, str) or not value:
            return ""
        return queries.limit_digest(value)


class RegisterView(View):
    """POST /auth/register."""

    has_idempotency_key = True
    permission_classes = [Public]
    rate = "register"

    @extend_schema(
        summary="Make an account",
        description="Signs in at once; a mail with a key proves the address. A taken username or address is 409 and"
        " says which: sign-up cannot work without telling, so this route is limited harder than others.",
        request=RegisterInput,
        responses={201: SignedInBody},
    )
    def post(self, request: Request) -> Response:
        """201 with the user and tokens."""
        fields = self.read_input(RegisterInput)
        if (answer := replayed(request, context="auth")) is not None:
            return answer
        new = actions.prepare_account(**fields)
        device = _device(request)

        def create() -> tuple[int, dict[str, object]]:
            return 201, signed_in_body(actions.register_user(new=new, device=device))

        return create_once(request, context="auth", create=create)


class LoginView(_LimitedByField):
    """POST /auth/login."""

    subject_field = "login"

    @extend_schema(summary="Log in", request=LoginInput, responses={200: SignedInBody})
    def post(self, request: Request) -> Response:
        """200 with the user and tokens."""
        fields = self.read_input(LoginInput)
        signed_in = actions.log_in(
            login=fields["login"], password=fields["password"], otp=fields.get("otp"), device=_device(request)
        )
        reset_attempts(rate="login", subject=self.limit_subject(request))
        return Response(signed_in_body(signed_in))


class RefreshView(View):
    """POST /auth/refresh."""

    permission_classes = [Public]

    @extend_schema(
        summary="Renew the tokens",
        description="The refresh token sent is spent by it. Sending a spent one again ends the whole session:"
        " somebody has copied it.",
        request=RefreshInput,
        responses={200: TokensBody},
    )
    def post(self, request: Request) -> Response:
        """200 with a new pair."""
        fields = self.read_input(RefreshInput)
        return Response(tokens_body(actions.rotate_refresh_token(refresh=fields["refresh"])))


class LogoutView(View):
    """POST /auth/logout."""

    permission_classes = [Public]

    @extend_schema(summary="Log out", request=RefreshInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """204; the session has ended."""
        actions.log_out(refresh=self.read_input(RefreshInput)["refresh"])
        return Response(status=204)


class VerifyEmailView(View):
    """POST /auth/verify-email."""

    permission_classes = [Public]
    rate = "login"

    @extend_schema(summary="Prove the e-mail address with a mailed key", request=KeyInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """204; the address is verified."""
        actions.verify_email(key=self.read_input(KeyInput)["key"])
        return Response(status=204)


class ResendVerificationView(View):
    """POST /auth/verify-email/resend."""

    rate = "login"

    @extend_schema(summary="Send the verification mail again", request=ResendInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """204; a mail is on its way unless the address is verified."""
        self.read_input(ResendInput)
        actions.request_verification(user_id=self.principal.id)
        return Response(status=204)


class ForgotPasswordView(_LimitedByField):
    """POST /auth/password/forgot."""

    subject_field = "email"

    @extend_schema(
        summary="Ask for a key to set a new password",
        description="The answer is the same whether there is such an account or not.",
        request=EmailInput,
        responses={202: None},
    )
    def post(self, request: Request) -> Response:
        """202, always."""
        actions.request_password_reset(email=self.read_input(EmailInput)["email"])
        return Response(status=202)


class ResetPasswordView(View):
    """POST /auth/password/reset."""

    permission_classes = [Public]
    rate = "login"

    @extend_schema(summary="Set a new password with a mailed key", request=ResetInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """204; all sessions have ended."""
        actions.reset_password(**self.read_input(ResetInput))
        return Response(status=204)


class ChangePasswordView(View):
    """POST /auth/password/change."""

    rate = "login"

    @extend_schema(
        summary="Change the own password",
        description="Ends all other sessions. 403 with `password_wrong` when the present one is wrong.",
        request=ChangePasswordInput,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """204; other sessions have ended."""
        fields = self.read_input(ChangePasswordInput)
        actions.change_password(user_id=self.principal.id, session_id=self.principal.session, **fields)
        return Response(status=204)


class AuthorizeView(View):
    """GET /auth/social/{provider}/authorize."""

    permission_classes = [Public]

    @extend_schema(
        summary="Where to send the user to log in with a provider",
        description="Keep `state` in the browser and go on only if the provider sends the same one back. `redirect_uri`"
        " must be on one of this server's own origins.",
        parameters=[OpenApiParameter("redirect_uri", str, required=True)],
        responses={200: AuthorizeBody},
    )
    def get(self, request: Request, provider: str) -> Response:
        """200 with the URL."""
        redirect_uri = request.query_params.get("redirect_uri", "")
        url, state = actions.authorize(provider=provider, redirect_uri=redirect_uri)
        return Response({"authorize_url": url, "state": state}, headers={"Cache-Control": "no-store"})


class SocialView(View):
    """POST /auth/social/{provider}."""

    permission_classes = [Public]
    rate = "login"

    @extend_schema(
        summary="Log in or sign up with what a provider sent back",
        description="An account with the same address is joined only if both sides have verified it; else 409.",
        request=SocialInput,
        responses={200: SignedInBody, 201: SignedInBody},
    )
    def post(self, request: Request, provider: str) -> Response:
        """201 for a new account, else 200, with the user and tokens."""
        fields = self.read_input(SocialInput)
        profile = actions.fetch_profile(
            provider=provider, code=fields["code"], state=fields["state"], redirect_uri=fields["redirect_uri"]
        )
        signed_in, is_new = actions.sign_in_social(profile=profile, otp=fields.get("otp"), device=_device(request))
        return Response(signed_in_body(signed_in), status=201 if is_new else 200)


class TotpView(View):
    """/auth/totp."""

    has_idempotency_key = True
    rate = "login"

    @extend_schema(
        summary="Set up an authenticator app",
        description="Makes a secret, in force once a code confirms it. 409 when one is in force.",
        request=None,
        responses={201: TotpSecretBody},
    )
    def post(self, request: Request) -> Response:
        """201 with the secret."""
        self.read_input(Input)

        def create() -> tuple[int, dict[str, object]]:
            made = actions.start_totp(user_id=self.principal.id)
            return 201, {"secret": made.secret, "otpauth_url": made.otpauth_url}

        return create_once(request, context="auth", create=create)

    @extend_schema(summary="Remove the authenticator app", request=CodeInput, responses={204: None})
    def delete(self, request: Request) -> Response:
        """204; log-in needs no code any more."""
        actions.remove_totp(user_id=self.principal.id, code=self.read_input(CodeInput)["code"])
        return Response(status=204)


class ConfirmTotpView(View):
    """POST /auth/totp/confirm."""

    rate = "login"

    @extend_schema(
        summary="Confirm the authenticator app",
        description="From now on log-in needs a code. The recovery codes are shown this once.",
        request=CodeInput,
        responses={200: RecoveryCodesBody},
    )
    def post(self, request: Request) -> Response:
        """200 with the recovery codes."""
        fields = self.read_input(CodeInput)
        return Response({"recovery_codes": actions.confirm_totp(user_id=self.principal.id, code=fields["code"])})
