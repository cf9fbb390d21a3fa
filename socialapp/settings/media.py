"""Media, their storage (a folder in the embedded default, see docs/media.md), and link previews."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from socialapp.settings.databases import EMBEDDED
from socialapp.settings.environment import DATA_DIR, PUBLIC_URL, env

MEDIA_URL = env.str("MEDIA_URL", default=f"{PUBLIC_URL}/media/").rstrip("/") + "/"
MEDIA_STORE_URL = env.str("MEDIA_STORE_URL", default="")  # s3://… ; empty: files in DATA_DIR/media


def _media_origins() -> list[str]:
    """The origins that pages load media from and upload large files to: those of MEDIA_URL and the bucket."""
    media, store = urlsplit(MEDIA_URL), urlsplit(MEDIA_STORE_URL)
    origins = [f"{media.scheme}://{media.netloc}"] if media.netloc else []
    if store.hostname:
        protocol = "http" if "tls=off" in store.query else "https"
        origins.append(f"{protocol}://{store.hostname}{f':{store.port}' if store.port else ''}")
    return origins


media_origins = _media_origins()
# X-Accel-Redirect: the gateway sends the files; otherwise the application does, which is for evaluation only
MEDIA_ACCEL = env.bool("MEDIA_ACCEL", default=False)
MEDIA_MAX_IMAGE_BYTES = env.int("MEDIA_MAX_IMAGE_BYTES", default=20 * 2**20)
MEDIA_MAX_VIDEO_BYTES = env.int("MEDIA_MAX_VIDEO_BYTES", default=200 * 2**20)
MEDIA_MAX_UPLOAD_BYTES = env.int("MEDIA_MAX_UPLOAD_BYTES", default=60 * 2**20)  # through the app; larger: presigned
MEDIA_DAILY_FILES = env.int("MEDIA_DAILY_FILES", default=300)  # per person
MEDIA_DAILY_BYTES = env.int("MEDIA_DAILY_BYTES", default=2 * 2**30)
MEDIA_PART_BYTES = env.int("MEDIA_PART_BYTES", default=8 * 2**20)  # of resumable uploads
MEDIA_UPLOAD_SECONDS = env.int("MEDIA_UPLOAD_SECONDS", default=3600)  # for which a presigned upload is valid
MEDIA_LINK_SECONDS = env.int("MEDIA_LINK_SECONDS", default=600)  # minimal validity of signed URLs of private media
MEDIA_STORE_SECONDS = env.int("MEDIA_STORE_SECONDS", default=10)  # that a bucket may take to respond
MEDIA_UNUSED_HOURS = env.int("MEDIA_UNUSED_HOURS", default=24)  # for which media in no post are kept
MEDIA_PURGE = env.str("MEDIA_PURGE", default="")  # the cache to purge of files that are no longer public; empty: none
if MEDIA_PURGE not in ("", "nginx", "fastly", "cloudflare"):
    raise ImproperlyConfigured("MEDIA_PURGE must be nginx, fastly or cloudflare")
MEDIA_PURGE_TOKEN = env.str("MEDIA_PURGE_TOKEN", default="")  # for Fastly or Cloudflare
MEDIA_PURGE_ZONE = env.str("MEDIA_PURGE_ZONE", default="")  # for Cloudflare
MEDIA_PURGE_API = env.str("MEDIA_PURGE_API", default="https://api.cloudflare.com/client/v4")
if MEDIA_PURGE == "cloudflare" and not (MEDIA_PURGE_TOKEN and MEDIA_PURGE_ZONE):
    raise ImproperlyConfigured("Cloudflare needs MEDIA_PURGE_TOKEN and MEDIA_PURGE_ZONE")
MEDIA_PARALLEL = env.int("MEDIA_PARALLEL", default=1 if EMBEDDED else 2)  # conversions at once, across all machines
FILE_UPLOAD_HANDLERS = ["socialapp.http.parsing.NamelessFileHandler"]


def _cloudfront(domain: str) -> dict[str, Any]:
    """A CloudFront distribution in front of the bucket, with URLs signed by a key of ours."""
    if not domain:
        return {}
    key = env.str("MEDIA_CLOUDFRONT_KEY", default="").replace("\\n", "\n")
    key_id = env.str("MEDIA_CLOUDFRONT_KEY_ID", default="")
    if not (key and key_id):
        raise ImproperlyConfigured("CloudFront needs MEDIA_CLOUDFRONT_KEY and MEDIA_CLOUDFRONT_KEY_ID")
    return {"custom_domain": domain, "cloudfront_key": key, "cloudfront_key_id": key_id}


def media_store(url: str) -> dict[str, Any]:
    """Files in a folder, or s3://key:secret@host/bucket?region=… (host: empty for Amazon's own)."""
    if not url:
        return {
            "BACKEND": "socialapp.core.media.stores.Files",
            "OPTIONS": {"location": DATA_DIR / "media", "allow_overwrite": True},
        }
    parts = urlsplit(url)
    if parts.scheme != "s3":
        raise ImproperlyConfigured("MEDIA_STORE_URL must begin with s3://")
    from botocore.config import Config

    query = dict(parse_qsl(parts.query))
    protocol = "http" if query.get("tls") == "off" else "https"
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "access_key": unquote(parts.username or "") or None,
            "secret_key": unquote(parts.password or "") or None,
            "bucket_name": parts.path.strip("/"),
            "region_name": query.get("region", "us-east-1"),
            "endpoint_url": f"{protocol}://{parts.hostname}:{parts.port}"
            if parts.port
            else (f"{protocol}://{parts.hostname}" if parts.hostname else None),
            "client_config": Config(  # type: ignore[no-untyped-call]
                signature_version="s3v4",
                s3={"addressing_style": query.get("addressing", "path")},
                connect_timeout=MEDIA_STORE_SECONDS,
                read_timeout=MEDIA_STORE_SECONDS,
                retries={"total_max_attempts": 2},
                # Servers other than Amazon's may not support its newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
            "default_acl": None,
            "file_overwrite": True,
            "querystring_auth": True,
            "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
            **_cloudfront(query.get("cloudfront", "")),
        },
    }


STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR / "media"}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "media": media_store(MEDIA_STORE_URL),
}
FILE_UPLOAD_PERMISSIONS = 0o600 if EMBEDDED else 0o644  # on servers the gateway reads them as another user
LINK_PREVIEWS = env.bool("LINK_PREVIEWS", default=True)  # fetch the page behind the first link of public posts
LINK_PREVIEW_DAYS = env.int("LINK_PREVIEW_DAYS", default=7)  # after which a page is fetched again if linked again
# host:port of servers that may be called although they are not public, such as a push gateway in the same network:
# see core/outgoing.py
OUTGOING_ALLOWED_HOSTS = env.list("OUTGOING_ALLOWED_HOSTS", default=[])
