"""Views for sign-up, log-in, tokens, mailed keys, passwords, providers and passkeys."""

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.auth import access, actions, presenters
from apps.auth.serializers import (
    AuthorizeBody,
    ChallengeBody,
    ChangePasswordInput,
    CredentialInput,
    EmailInput,
    KeyInput,
    LoggedInBody,
    LoginInput,
    PasskeyOptionsBody,
    PendingBody,
    RefreshInput,
    RegisterInput,
    ResendInput,
    ResetInput,
    SocialInput,
    TokensBody,
)
from apps.auth.views.auth_view import AuthView
from apps.auth.views.cookies import (
    browser_of,
    device_of,
    forget_refresh,
    logged_in_response,
    move_refresh_to_cookie,
    new_browser_mark,
    refresh_token_of,
    set_browser_mark,
    set_device_token,
    user_id_in,
    wants_cookie,
)
from socialapp.http.admission import client_address
from socialapp.http.fields import Input
from socialapp.http.idempotency import create_once, replayed
from socialapp.http.permissions import Public


class RegisterView(AuthView):
    """`/auth/register`."""

    has_idempotency_key = True
    location = "/v1/users/{user[id]}"
    permission_classes = [Public]
    rate = "register"

    @extend_schema(
        summary="Create an account",
        description="Logs in at once; a mail with a key verifies the address. A taken username or address is 409"
        " with the field: sign-up cannot hide that, so this route has stricter rate limits. `registration` of GET"
        " /instance says what else is required. `invite`: a code in `invite`; else 422 with `invite_required` or"
        " `invite_invalid` on that field. `approval`: the reasons for joining in `application`; the response is 202"
        " without tokens, log-in is 403 `account_pending` until staff have approved, and the decision is mailed."
        " `closed`: 403 `registration_closed`. If `captcha` there is not null: the response of its widget, or the"
        " solution of POST /auth/captcha, in `captcha`; else 422 with `captcha_required` or `captcha_invalid` on"
        " that field.",
        request=RegisterInput,
        responses={201: LoggedInBody, 202: PendingBody},
    )
    def post(self, request: Request) -> Response:
        """201 with the user and tokens, or 202 with the user who is pending approval."""
        fields = self.read_account(RegisterInput)
        in_cookie = wants_cookie(request, fields)
        invite, text = fields.pop("invite", ""), fields.pop("application", "")
        captcha = fields.pop("captcha", "")
        answer = replayed(request, context="auth")
        if answer is None:
            actions.check_captcha(captcha, address=client_address(request))
            new = actions.prepare_account(**fields)
            device = device_of(request)
            access.refuse_blocked_sign_up(
                email=new.email, address=device.address, username=new.username, full_name=new.full_name
            )

            def create() -> tuple[int, dict[str, object]]:
                if settings.REGISTRATION == "approval":
                    return 202, presenters.pending_body(actions.apply_for_account(new=new, text=text))
                return 201, presenters.logged_in_body(actions.register_user(new=new, device=device, invite=invite))

            answer = create_once(request, context="auth", create=create)
        if answer.status_code == 202:
            return answer
        set_device_token(answer, actions.device_token(user_id=user_id_in(answer)))
        if in_cookie:
            move_refresh_to_cookie(request, answer)
        return answer


class CaptchaView(AuthView):
    """`/auth/captcha`."""

    permission_classes = [Public]
    rate = "login"

    @extend_schema(
        summary="Get a proof of work for sign-up",
        description="Only where `captcha.provider` of GET /instance is `proof_of_work`, else 404. Find a number such"
        " that the SHA-256 of `<challenge>:<number>` begins with `difficulty` zero bits, and send"
        " `<challenge>:<number>` as `captcha` of POST /auth/register. Valid once, for ten minutes.",
        request=None,
        responses={200: ChallengeBody},
    )
    def post(self, request: Request) -> Response:
        """200 with a challenge."""
        self.read_input(Input)
        made = actions.new_challenge()
        return Response(
            {"challenge": made.challenge, "difficulty": made.difficulty, "expires_in": actions.CHALLENGE_SECONDS}
        )


class LoginView(AuthView):
    """`/auth/login`."""

    permission_classes = [Public]
    rate = "login"

    @extend_schema(
        summary="Log in",
        description="After many wrong attempts with one username or address, strangers get 429; the owner's devices are"
        " let in by the cookie, or the header `Device-Token`, that an earlier log-in returned.",
        request=LoginInput,
        responses={200: LoggedInBody},
    )
    def post(self, request: Request) -> Response:
        """200 with the user and tokens."""
        fields = self.read_input(LoginInput)
        in_cookie = wants_cookie(request, fields)
        logged_in = actions.log_in(
            login=fields["login"], password=fields["password"], otp=fields.get("otp"), device=device_of(request)
        )
        return logged_in_response(request, logged_in, in_cookie=in_cookie)


class PasskeyLoginOptionsView(AuthView):
    """`/auth/login/passkey/options`."""

    permission_classes = [Public]
    rate = "login"

    @extend_schema(
        summary="Get the options for a log-in with a passkey",
        description="The challenge is valid for one answer, within five minutes.",
        request=None,
        responses={200: PasskeyOptionsBody},
    )
    def post(self, request: Request) -> Response:
        """200 with the options."""
        self.read_input(Input)
        return Response(actions.begin_authentication())


class PasskeyLoginView(AuthView):
    """`/auth/login/passkey`."""

    permission_classes = [Public]
    rate = "login"

    @extend_schema(summary="Log in with a passkey", request=CredentialInput, responses={200: LoggedInBody})
    def post(self, request: Request) -> Response:
        """200 with the user and tokens."""
        fields = self.read_input(CredentialInput)
        in_cookie = wants_cookie(request, fields)
        logged_in = actions.log_in_with_passkey(credential=fields["credential"], device=device_of(request))
        return logged_in_response(request, logged_in, in_cookie=in_cookie)


class RefreshView(AuthView):
    """`/auth/refresh`."""

    permission_classes = [Public]

    @extend_schema(
        summary="Refresh the tokens",
        description="Spends the refresh token. Sent again within 10 seconds, it returns the same new one; sent"
        " later, it ends the whole session, because somebody has copied it. If the body has no token, the cookie is"
        " used and set again; this works only from our own pages.",
        request=RefreshInput,
        responses={200: TokensBody},
    )
    def post(self, request: Request) -> Response:
        """200 with a new pair."""
        token, from_cookie = refresh_token_of(request, self.read_input(RefreshInput).get("refresh"))
        response = Response(presenters.tokens_body(actions.rotate_refresh_token(refresh=token)))
        if from_cookie:
            move_refresh_to_cookie(request, response)
        return response


class LogoutView(AuthView):
    """`/auth/logout`."""

    permission_classes = [Public]

    @extend_schema(summary="Log out", request=RefreshInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """204; the session has ended."""
        token, from_cookie = refresh_token_of(request, self.read_input(RefreshInput).get("refresh"))
        actions.log_out(refresh=token)
        response = Response(status=204)
        if from_cookie:
            forget_refresh(response)
        return response


class VerifyEmailView(AuthView):
    """`/auth/verify-email`."""

    permission_classes = [Public]
    rate = "login"

    @extend_schema(
        summary="Verify an e-mail address with a mailed key",
        description="A pending address becomes the account's address.",
        request=KeyInput,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """204; the address is verified."""
        actions.verify_email(key=self.read_input(KeyInput)["key"])
        return Response(status=204)


class ResendVerificationView(AuthView):
    """`/auth/verify-email/resend`."""

    permission_classes = [Public]
    rate = "login"

    @extend_schema(
        summary="Send the verification mail again",
        description="For the account of the token or, without one, of an earlier key, even an expired one.",
        request=ResendInput,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """204; a mail is on its way unless the address is verified."""
        key = self.read_input(ResendInput).get("key")
        if self.viewer is None and key is not None:
            actions.request_verification_by_key(key=key)
        else:
            actions.request_verification(user_id=self.principal.id)
        return Response(status=204)


class ForgotPasswordView(AuthView):
    """`/auth/password/forgot`."""

    permission_classes = [Public]
    rate = "login"

    @extend_schema(
        summary="Request a key to set a new password",
        description="The response is the same whether the account exists or not.",
        request=EmailInput,
        responses={202: None},
    )
    def post(self, request: Request) -> Response:
        """202, always."""
        actions.request_password_reset(email=self.read_input(EmailInput)["email"])
        return Response(status=202)


class ResetPasswordView(AuthView):
    """`/auth/password/reset`."""

    permission_classes = [Public]
    rate = "login"

    @extend_schema(
        summary="Set a new password with a mailed key",
        description="Returns a device token like a log-in: the next log-in on this device is not limited by"
        " strangers who guess the password. A pending address is dropped. If the address was not verified yet, it is"
        " now, and the authenticator app, passkeys and providers set up before are removed, as somebody else may"
        " have created the account.",
        request=ResetInput,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """204; all sessions have ended."""
        response = Response(status=204)
        set_device_token(response, actions.reset_password(**self.read_input(ResetInput)))
        return response


class ChangePasswordView(AuthView):
    """`/auth/password/change`."""

    rate = "login"

    @extend_schema(
        summary="Change your password",
        description="Ends all other sessions. 403 with `password_wrong` when the present one is wrong.",
        request=ChangePasswordInput,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """204; other sessions have ended."""
        fields = self.read_input(ChangePasswordInput)
        actions.change_password(
            user_id=self.principal.id, session_id=self.principal.session, device=device_of(request), **fields
        )
        return Response(status=204)


class AuthorizeView(AuthView):
    """`/auth/social/{provider}/authorize`."""

    permission_classes = [Public]

    @extend_schema(
        summary="Get the URL for a log-in with a provider",
        description="Keep `state` in the browser and continue only if the provider sends the same one back. It is"
        " bound to a cookie that this response sets. `redirect_uri` must be on one of this server's own origins.",
        parameters=[OpenApiParameter("redirect_uri", str, required=True)],
        responses={200: AuthorizeBody},
    )
    def get(self, request: Request, provider: str) -> Response:
        """200 with the URL."""
        mark = new_browser_mark(request)
        redirect_uri = request.query_params.get("redirect_uri", "")
        url, state = actions.authorize(provider=provider, redirect_uri=redirect_uri, browser=mark)
        response = Response({"authorize_url": url, "state": state})
        set_browser_mark(response, mark)
        return response


class SocialView(AuthView):
    """`/auth/social/{provider}`."""

    location = "/v1/users/{user[id]}"
    permission_classes = [Public]
    rate = "login"

    @extend_schema(
        summary="Log in or sign up with a provider's response",
        description="An account with the same address is joined only if both sides have verified it; else 409.",
        request=SocialInput,
        responses={200: LoggedInBody, 201: LoggedInBody},
    )
    def post(self, request: Request, provider: str) -> Response:
        """201 for a new account, else 200, with the user and tokens."""
        fields = self.read_input(SocialInput)
        in_cookie = wants_cookie(request, fields)
        profile = actions.fetch_profile(
            provider=provider,
            code=fields["code"],
            state=fields["state"],
            redirect_uri=fields["redirect_uri"],
            browser=browser_of(request),
        )
        logged_in = actions.log_in_social(profile=profile, otp=fields.get("otp"), device=device_of(request))
        return logged_in_response(request, logged_in, in_cookie=in_cookie)

    @extend_schema(
        summary="Unlink a provider",
        description="Needs a confirmed session. 409 when it is the last way into the account.",
        responses={204: None},
    )
    def delete(self, request: Request, provider: str) -> Response:
        """204; nobody can log in with the provider any more."""
        user_id = self.principal.id
        self.require_confirmation()
        actions.unlink_provider(user_id=user_id, provider=provider)
        return Response(status=204)
