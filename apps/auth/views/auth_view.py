"""The base class of auth's views: responses are never cached, and some need a confirmed session."""

from typing import Any, cast

from rest_framework.exceptions import ValidationError

from apps.auth import actions
from socialapp.core.errors import Invalid
from socialapp.http.fields import Input
from socialapp.http.problems import as_problem
from socialapp.http.views import View

_CHECKED = ("username", "email", "password")


class AuthView(View):
    """A route of auth. Source of `no-store`: RFC 6749 section 5.1."""

    is_personal = True

    def require_confirmation(self) -> str:
        """The method by which the session was confirmed recently; 403 with `confirmation_required` if it was not."""
        return actions.require_confirmation(user_id=self.principal.id, session_id=self.principal.session)

    def require_confirmation_for_passkey(self) -> None:
        """Like `require_confirmation`; only a second factor counts if the account has an authenticator app."""
        actions.require_confirmation_for_passkey(user_id=self.principal.id, session_id=self.principal.session)

    def read_account(self, serializer: type[Input]) -> dict[str, Any]:
        """The validated body with fields of an account; 422 lists errors of form and of content together."""
        try:
            return self.read_input(serializer)
        except ValidationError as error:
            wrong = cast(dict[str, Any], error.detail)
            sent = cast(dict[str, Any], self.request.data)
            well_formed = {name: sent[name] for name in _CHECKED if name in sent and name not in wrong}
            problem = as_problem(error)
            errors = [*(problem.errors if problem else []), *actions.account_errors(**well_formed)]
            raise Invalid("some fields are not valid", errors=errors) from None
