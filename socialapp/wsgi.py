"""The WSGI application of the `web` role: all of REST and the admin site."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialapp.settings")

application = get_wsgi_application()
