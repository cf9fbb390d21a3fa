"""Bearer authentication: verifies a token to a `Principal`; revocation is checked at admission."""

import jwt
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from socialapp.core.errors import Unauthenticated
from socialapp.core.principal import Principal
from socialapp.http.tokens import principal_of

_MAX_TOKEN = 4096


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`. No header means anonymous; a bad token is 401 even where none is needed.

    The web server empties a header with non-ASCII bytes, so an empty one is bad too.
    """

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        """The caller, or None without a header."""
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        scheme, _, sent = header.partition(" ")
        token = sent.strip(" ")  # one space or more may stand between. Source: RFC 9110, section 11.4
        if scheme.lower() != "bearer" or not token or len(token) > _MAX_TOKEN:
            raise Unauthenticated("the Authorization header must be: Bearer <access token>", code="token_invalid")
        try:
            return principal_of(token)[0], token
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("the access token has expired", code="token_expired") from None
        except (jwt.InvalidTokenError, UnicodeError, ValueError):
            raise Unauthenticated("the access token is not valid", code="token_invalid") from None

    def authenticate_header(self, request: Request) -> str:
        """The WWW-Authenticate header of 401 responses."""
        return 'Bearer realm="socialapp"'


class _BearerSchema(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
