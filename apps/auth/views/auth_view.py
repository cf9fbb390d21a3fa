"""The base class of auth's views: responses are never cached, and some need a confirmed session."""

from apps.auth import actions
from socialapp.http.views import View


class AuthView(View):
    """A route of auth. Source of `no-store`: RFC 6749 section 5.1."""

    is_personal = True

    def require_confirmation(self) -> str:
        """The method by which the session was confirmed recently; 403 with `confirmation_required` if it was not."""
        return actions.require_confirmation(user_id=self.principal.id, session_id=self.principal.session)
