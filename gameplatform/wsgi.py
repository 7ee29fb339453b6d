"""HTTP alone, for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

from core.observability import telemetry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gameplatform.settings")

telemetry.start("rest")
application = get_wsgi_application()
