"""How a person is shown beside what they wrote."""

from socialapp.contracts.users import Card


def card_body(card: Card) -> dict[str, object]:
    """The API's profile card."""
    return {
        "id": str(card.id),
        "username": card.username,
        "full_name": card.full_name,
        "profile_picture": card.profile_picture or None,
    }
