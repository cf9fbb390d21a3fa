"""The caller of a request, from a verified access token: all that contexts other than auth know about them."""

from dataclasses import dataclass

ADMIN = "admin"
MODERATOR = "moderator"
USER = "user"  # everybody has it


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request. `id` is the user's id; `session` is the id of the session that the token belongs to."""

    id: int
    roles: frozenset[str]
    session: int

    is_authenticated = True

    @property
    def is_staff(self) -> bool:
        """Whether the caller may see what staff may see."""
        return bool(self.roles & {ADMIN, MODERATOR})

    @property
    def pk(self) -> int:
        """The id under the name that Django's own code uses."""
        return self.id
