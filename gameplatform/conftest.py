import pytest
from django.db import connection

from gameplatform.core.models import IdempotencyRecord


@pytest.fixture
def committing_database(django_db_setup, django_db_blocker):
    """The database without a transaction around the test, for threads that must see each other's commits.

    pytest-django's ``transaction=True`` empties every table afterwards, which the ledger's triggers rightly refuse.
    Here a test deletes what it made; the idempotency records of all are deleted for it.
    """
    with django_db_blocker.unblock():
        yield
        IdempotencyRecord.objects.all().delete()
        connection.close()
