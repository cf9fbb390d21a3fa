"""Mail; in the embedded default it is written to files."""

from socialapp.settings.environment import DATA_DIR, env

_email = env.email_url("EMAIL_URL", default=f"filemail://{DATA_DIR}/mail")
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _email.get("EMAIL_HOST") or "", _email.get("EMAIL_PORT") or 0
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_USER") or "", _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(_email.get("EMAIL_USE_TLS"))
EMAIL_TIMEOUT = 10  # seconds that a mail server may take for each reply
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="socialapp <no-reply@localhost>")
MAILS_PER_DAY = env.int("MAILS_PER_DAY", default=20)  # about notifications, per person and day in their time zone
MAIL_EVENTS_SECRET = env.str("MAIL_EVENTS_SECRET", default="")  # for reporting bounces to /internal/mail/events
