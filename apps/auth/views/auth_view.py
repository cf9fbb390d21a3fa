"""What the routes of auth have in common: nothing they answer is kept by caches, and some ask for a confirmation."""

from apps.auth import actions
from socialapp.http.views import View


class AuthView(View):
    """A route of auth. Source of `no-store`: RFC 6749 section 5.1."""

    is_personal = True

    def require_confirmation(self) -> str:
        """How the session was confirmed in the last minutes; 403 with `confirmation_required` when it was not."""
        return actions.require_confirmation(user_id=self.principal.id, session_id=self.principal.session)
