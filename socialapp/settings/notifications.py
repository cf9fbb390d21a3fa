"""Notifications: pushes to browsers and phones, and sockets."""

from email.utils import parseaddr

from django.core.exceptions import ImproperlyConfigured

from socialapp.core.vapid import public_key_of
from socialapp.settings.environment import env
from socialapp.settings.mail import DEFAULT_FROM_EMAIL

NOTIFICATIONS_RETENTION_DAYS = env.int("NOTIFICATIONS_RETENTION_DAYS", default=90)
VAPID_PRIVATE_KEY = env.str("VAPID_PRIVATE_KEY", default="")  # empty: no pushes; made by `manage.py vapid_key`
try:
    VAPID_PUBLIC_KEY = public_key_of(VAPID_PRIVATE_KEY) if VAPID_PRIVATE_KEY else ""
except ValueError as error:
    raise ImproperlyConfigured(f"VAPID_PRIVATE_KEY: {error}") from None
# Apps on phones: the key of an Apple developer account, and the service account of a Google project, as its JSON file
APNS_KEY = env.str("APNS_KEY", multiline=True, default="")
APNS_KEY_ID = env.str("APNS_KEY_ID", default="")
APNS_TEAM_ID = env.str("APNS_TEAM_ID", default="")
APNS_TOPIC = env.str("APNS_TOPIC", default="")
APNS_URL = env.str("APNS_URL", default="https://api.push.apple.com").rstrip("/")
if APNS_KEY and not (APNS_KEY_ID and APNS_TEAM_ID and APNS_TOPIC):
    raise ImproperlyConfigured("APNS_KEY needs APNS_KEY_ID, APNS_TEAM_ID and APNS_TOPIC")
FCM_CREDENTIALS = env.json("FCM_CREDENTIALS", default={})
FCM_URL = env.str("FCM_URL", default="https://fcm.googleapis.com").rstrip("/")
if FCM_CREDENTIALS and not {"project_id", "client_email", "private_key", "token_uri"} <= set(FCM_CREDENTIALS):
    raise ImproperlyConfigured("FCM_CREDENTIALS is the JSON file of a service account")
# Whom push services write to when something is wrong with our pushes: mailto: or https:
VAPID_SUBJECT = env.str("VAPID_SUBJECT", default=f"mailto:{parseaddr(DEFAULT_FROM_EMAIL)[1]}")

CHANNEL_LAYERS = {"default": {"BACKEND": "socialapp.core.channel_layer.PubSubLayer"}}
SOCKETS_PER_USER = env.int("SOCKETS_PER_USER", default=20)  # in one process
SOCKET_QUEUE = env.int("SOCKET_QUEUE", default=256)  # messages that wait for a slow client before it is dropped
SOCKET_SEND_SECONDS = env.float("SOCKET_SEND_SECONDS", default=15.0)
SOCKET_MESSAGES = env.int("SOCKET_MESSAGES", default=60)  # from one client a minute
SOCKET_MESSAGE_BYTES = env.int("SOCKET_MESSAGE_BYTES", default=8192)
SOCKET_REVOCATION_SECONDS = env.float("SOCKET_REVOCATION_SECONDS", default=2.0)
SOCKET_RESYNC_SECONDS = env.float("SOCKET_RESYNC_SECONDS", default=30.0)
