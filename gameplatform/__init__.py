"""The composition root: settings, urls, asgi, celery, and what every app stands on."""

from gameplatform.celery import app as celery_app

__all__ = ["celery_app"]
