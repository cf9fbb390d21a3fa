"""Index entries of posts and profiles, built from the documents of their contexts."""

import re
from dataclasses import dataclass

from apps.search.queries.languages import stems, variants_of_name
from socialapp.contracts.metrics import PostEngagement
from socialapp.contracts.posts import PostDocument
from socialapp.contracts.users import ProfileDocument
from socialapp.core.text.folding import fold_words
from socialapp.core.text.hashtags import hashtag_key
from socialapp.core.text.language import detect_language

_LINK = re.compile(r"https?://\S", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PostEntry:
    """The searchable attributes of a post that are derived from its document."""

    text: str
    stems: list[str]
    hashtags: list[str]
    language: str
    has_link: bool
    has_cw: bool

    @classmethod
    def of(cls, document: PostDocument) -> "PostEntry":
        """The entry of a post."""
        text = fold_words(document.content)
        language = detect_language(document.content)
        return cls(
            text=text,
            stems=stems(text.split(), language=language),
            hashtags=sorted(set(map(hashtag_key, document.hashtags))),
            language=language,
            has_link=bool(_LINK.search(document.content)),
            has_cw=document.has_content_warning,
        )


@dataclass(frozen=True, slots=True)
class ProfileEntry:
    """The searchable attributes of a profile."""

    names: str
    bio: str
    variants: list[str]

    @classmethod
    def of(cls, document: ProfileDocument) -> "ProfileEntry":
        """The entry of a profile."""
        names = fold_words(f"{document.card.username} {document.card.full_name}")
        return cls(names=names, bio=fold_words(document.bio), variants=variants_of_name(names.split()))


@dataclass(frozen=True, slots=True)
class EngagementCount:
    """The reactions to a post, and its engagement: a weighted sum of reactions, comments and reposts."""

    post_id: int
    reactions: int
    engagement: int


def engagement_of(numbers: PostEngagement) -> int:
    """The engagement with a post as one number; comments and reposts weigh more than reactions."""
    return max(numbers.reactions + 2 * numbers.comments + 3 * numbers.reposts, 0)
