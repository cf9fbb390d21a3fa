"""Moderation: appeals, the log, spam."""

from socialapp.settings.environment import SECRET_KEY, env

APPEALS_BY_SAME_MODERATOR = env.bool("APPEALS_BY_SAME_MODERATOR", default=False)
# Signs the moderation log. Keep it apart from the database; after a change, earlier signatures no longer verify.
LOG_SIGNING_KEY = env.str("LOG_SIGNING_KEY", default=SECRET_KEY)
# Scores texts from 0 to 100 for rules of the kind "spam score"; the built-in scorer is
# apps.moderation.access.screening.score_spam, and none is used unless named.
SPAM_SCORER = env.str("SPAM_SCORER", default="")
LINK_SHORTENERS = frozenset(  # their links are followed, so that rules about domains apply to the target
    env.list(
        "LINK_SHORTENERS",
        default=["bit.ly", "t.co", "tinyurl.com", "goo.gl", "is.gd", "ow.ly", "buff.ly", "cutt.ly", "rb.gy", "t.ly"],
    )
)
TRANSPARENCY_REPORT = env.bool("TRANSPARENCY_REPORT", default=True)  # public statistics of moderation
APPEAL_DAYS = env.int("APPEAL_DAYS", default=183)  # what moderators removed is kept twice as long, then deleted
