"""The launcher behind ``manage.py up``: PostgreSQL, Valkey, web, worker and beat as supervised children.

Nothing here imports Django (but the management command itself): the launcher runs before there are settings.
"""
