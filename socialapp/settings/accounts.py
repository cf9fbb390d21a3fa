"""Accounts: passwords, sign-up, log-in and second factors."""

from django.core.exceptions import ImproperlyConfigured

from socialapp.settings.environment import PUBLIC_URL, env, is_https

# It verifies every Argon2 hash: a second hasher with that algorithm name would replace it.
PASSWORD_HASHERS = ["socialapp.core.passwords.OwaspArgon2PasswordHasher"]
PASSWORD_RESET_TIMEOUT = env.int("PASSWORD_RESET_SECONDS", default=3600)
# Where new passwords are looked up among breached ones, by the first digits of their hash; empty: no look-up
PASSWORD_RANGE_URL = env.str("PASSWORD_RANGE_URL", default="")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "socialapp.core.passwords.OpaqueStringValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

REGISTRATION = env.str("REGISTRATION", default="open")
if REGISTRATION not in ("open", "approval", "invite", "closed"):
    raise ImproperlyConfigured("REGISTRATION must be open, approval, invite or closed")
VERIFIED_EMAIL_TO_POST = env.bool("VERIFIED_EMAIL_TO_POST", default=False)  # posts and comments
# Required before sign-up; off unless a provider is named. The secret is what the provider issues with the site key.
CAPTCHA_PROVIDER = env.str("CAPTCHA_PROVIDER", default="")
CAPTCHA_SITE_KEY = env.str("CAPTCHA_SITE_KEY", default="")
CAPTCHA_SECRET = env.str("CAPTCHA_SECRET", default="")
CAPTCHA_DIFFICULTY = env.int("CAPTCHA_DIFFICULTY", default=18)  # leading zero bits: 18 take a desktop about two seconds
_CAPTCHA_URLS = {
    "": "",
    "proof_of_work": "",
    "hcaptcha": "https://api.hcaptcha.com/siteverify",
    "turnstile": "https://challenges.cloudflare.com/turnstile/v0/siteverify",
}
if CAPTCHA_PROVIDER not in _CAPTCHA_URLS:
    raise ImproperlyConfigured("CAPTCHA_PROVIDER must be proof_of_work, hcaptcha, turnstile or empty")
if CAPTCHA_PROVIDER and _CAPTCHA_URLS[CAPTCHA_PROVIDER] and not (CAPTCHA_SITE_KEY and CAPTCHA_SECRET):
    raise ImproperlyConfigured("CAPTCHA_PROVIDER needs CAPTCHA_SITE_KEY and CAPTCHA_SECRET")
if not 1 <= CAPTCHA_DIFFICULTY <= 32:
    raise ImproperlyConfigured("CAPTCHA_DIFFICULTY must be 1 to 32")
CAPTCHA_VERIFY_URL = env.str("CAPTCHA_VERIFY_URL", default=_CAPTCHA_URLS[CAPTCHA_PROVIDER])
REFUSE_DISPOSABLE_EMAIL = env.bool("REFUSE_DISPOSABLE_EMAIL", default=True)
EMAIL_DOMAINS_REFUSED = frozenset(env.list("EMAIL_DOMAINS_REFUSED", default=[]))
NAME_RESERVED_DAYS = env.int("NAME_RESERVED_DAYS", default=90)  # for which names of deleted accounts stay reserved
NAME_KEPT_DAYS = env.int("NAME_KEPT_DAYS", default=30)  # for which a former name is reserved for its owner
ERASURE_GRACE_DAYS = env.int("ERASURE_GRACE_DAYS", default=14 if is_https else 0)  # logging in cancels the deletion
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", default=is_https)  # required of staff in the admin site
RATE_LOGIN_TOTAL = env.int("RATE_LOGIN_TOTAL", default=3000)  # a minute, from unknown devices
WRONG_CODES_PER_DAY = env.int("WRONG_CODES_PER_DAY", default=30)  # of an authenticator app, per account
FAILED_LOGINS_REPORTED = env.int("FAILED_LOGINS_REPORTED", default=20)  # a day, then the owner gets a mail
# An hour, of each kind: mails that anybody can request, and all mails to an address that nobody has verified.
MAILS_PER_ADDRESS = env.int("MAILS_PER_ADDRESS", default=5)
NEW_ADDRESSES_PER_ACCOUNT = env.int("NEW_ADDRESSES_PER_ACCOUNT", default=20)  # an hour; each is sent a mail
# Pages that links in mails lead to; {key} is replaced
VERIFY_EMAIL_URL = env.str("VERIFY_EMAIL_URL", default=f"{PUBLIC_URL}/#/verify-email?key={{key}}")
RESET_PASSWORD_URL = env.str("RESET_PASSWORD_URL", default=f"{PUBLIC_URL}/#/reset-password?key={{key}}")
APPEAL_URL = env.str("APPEAL_URL", default=f"{PUBLIC_URL}/auth/appeal?key={{key}}")
AUTHENTICATION_BACKENDS = ["apps.auth.actions.adapters.AccountBackend"]
ACCOUNT_ADAPTER = "apps.auth.actions.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_RATE_LIMITS = False  # they would lock owners out: see actions/attempts.py
SOCIALACCOUNT_ADAPTER = "apps.auth.actions.adapters.SocialAdapter"
SOCIALACCOUNT_QUERY_EMAIL = True
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
MFA_ADAPTER = "apps.auth.actions.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_RECOVERY_CODE_DIGITS = 25  # 83 bits
