"""Certificates of erasure: signed statements of what was erased where and when, without personal data.

Source: RFC 7515 (JSON Web Signature). The key is in the key set, and is kept after it stops signing.
"""

from typing import Any

import jwt
from django.conf import settings

from apps.auth.actions.keys import certificate_keys, signing_key
from apps.auth.models import Erasure
from apps.auth.queries import erased_parts
from socialapp.core.errors import Invalid
from socialapp.core.json import rfc3339
from socialapp.http.tokens import ALGORITHM

CERTIFICATE_TYPE = "erasure-certificate+jwt"
_MAX_CERTIFICATE = 20_000


def erasure_certificate(erasure: Erasure) -> str:
    """The certificate of a complete erasure."""
    kid, key = signing_key()
    claims = {
        "iss": settings.PUBLIC_URL,
        "erasure_id": str(erasure.id),
        "requested_at": rfc3339(erasure.requested_at),
        "completed_at": rfc3339(erasure.completed_at or erasure.requested_at),
        "contexts": erased_parts(erasure.id),
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid, "typ": CERTIFICATE_TYPE})


def read_certificate(certificate: str) -> dict[str, Any]:
    """The statement of a certificate; Invalid if it is malformed or was not signed here."""
    try:
        header = jwt.get_unverified_header(certificate[:_MAX_CERTIFICATE])
        key = certificate_keys()[str(header.get("kid"))]
        if header.get("typ") != CERTIFICATE_TYPE:
            raise jwt.InvalidTokenError("not a certificate")
        claims: dict[str, Any] = jwt.decode(certificate, key, algorithms=[ALGORITHM], options={"require": ["iss"]})
    except (jwt.InvalidTokenError, KeyError):
        raise Invalid.of("certificate", "certificate_invalid", "This was not signed here.") from None
    return claims
