"""Django's settings, from environment variables (see .env.example) and the map of contexts."""

import django_stubs_ext

from socialapp.settings.accounts import *
from socialapp.settings.api import *
from socialapp.settings.contexts import *
from socialapp.settings.databases import *
from socialapp.settings.environment import *
from socialapp.settings.http import *
from socialapp.settings.installation import *
from socialapp.settings.logs import *
from socialapp.settings.mail import *
from socialapp.settings.media import *
from socialapp.settings.messaging import *
from socialapp.settings.moderation import *
from socialapp.settings.notifications import *
from socialapp.settings.providers import *
from socialapp.settings.search import *
from socialapp.settings.security import *

django_stubs_ext.monkeypatch()  # allows Django's generic classes to be subscripted, as their type stubs declare

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
