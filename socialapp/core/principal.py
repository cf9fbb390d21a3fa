"""Who is asking: what a verified access token says, and all that contexts other than auth know of a caller."""

from dataclasses import dataclass

ADMIN = "admin"
MODERATOR = "moderator"
USER = "user"  # everybody has it


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request. `id` is the user's id, `session` the id of the sign-in the token belongs to."""

    id: int
    roles: frozenset[str]
    session: int

    is_authenticated = True

    @property
    def is_staff(self) -> bool:
        """Whether the caller may see what staff sees."""
        return bool(self.roles & {ADMIN, MODERATOR})

    @property
    def pk(self) -> int:
        """The id under the name that Django's own code asks for."""
        return self.id
