from django.db import connection

from accounts.models import User
from backoffice import paging
from backoffice.paging import EstimatingPaginator


def estimate(rows: int) -> None:
    """Make PostgreSQL believe that the table of users has so many rows, inside this test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_class SET reltuples = %s WHERE oid = 'accounts_user'::regclass", [rows])


def test_large_table_is_estimated(people, django_assert_num_queries):
    people(3)
    estimate(2_000_000)
    with django_assert_num_queries(1) as asked:
        assert EstimatingPaginator(User.objects.order_by("id"), 50).count == 2_000_000
    assert "COUNT(" not in asked.captured_queries[0]["sql"].upper()


def test_a_small_table_is_counted(people):
    people(3)
    estimate(-1)
    assert EstimatingPaginator(User.objects.order_by("id"), 50).count == 3


def test_filtered_count_is_bounded(people, monkeypatch):
    monkeypatch.setattr(paging, "COUNT_MAX", 5)
    people(8)
    estimate(2_000_000)
    assert EstimatingPaginator(User.objects.filter(is_active=True).order_by("id"), 2).count == 5
