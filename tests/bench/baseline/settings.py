"""The baseline's settings: one database, simplejwt, and the defaults of Django and DRF."""

import os

import environ

SECRET_KEY = "only-for-the-bench-" + "x" * 40
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "tests.bench.baseline"]
ROOT_URLCONF = "tests.bench.baseline.app"
DATABASES = {"default": environ.Env.db_url_config(os.environ["BASELINE_DATABASE_URL"])}
DATABASES["default"].update(CONN_MAX_AGE=60, OPTIONS={"charset": "utf8mb4"})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
USE_TZ = True
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
