"""The WSGI application that goodyadmin.server serves."""

import os

from django.core.wsgi import get_wsgi_application

from .access_log import AccessLog

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "goodyadmin.settings")

application = AccessLog(get_wsgi_application())
