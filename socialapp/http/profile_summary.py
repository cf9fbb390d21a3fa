"""The API body of a profile summary."""

from socialapp.contracts.users import ProfileSummary


def profile_summary_body(card: ProfileSummary) -> dict[str, object]:
    """The API's profile summary."""
    return {
        "id": str(card.id),
        "username": card.username,
        "full_name": card.full_name,
        "profile_picture": card.profile_picture or None,
    }
