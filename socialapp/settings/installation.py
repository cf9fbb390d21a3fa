"""The name of this installation, and its operator's choices for all users."""

from socialapp.settings.environment import env

INSTANCE_NAME = env.str("INSTANCE_NAME", default="socialapp")
INSTANCE_DESCRIPTION = env.str("INSTANCE_DESCRIPTION", default="")
INSTANCE_RULES = env.list("INSTANCE_RULES", default=[])
INSTANCE_CONTACT = env.str("INSTANCE_CONTACT", default="")
SITEMAP = env.bool("SITEMAP", default=True)  # whether search engines get a list of the newest public posts
# Posts of people with more followers than this are merged into feeds at reading time, not pushed into every feed.
POPULAR_FOLLOWERS = env.int("POPULAR_FOLLOWERS", default=10_000)
MAX_FOLLOWINGS = env.int("MAX_FOLLOWINGS", default=7_500)
