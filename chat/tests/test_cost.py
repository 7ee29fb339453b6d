"""What the hot paths cost, in statements; nothing grows with the size of a room."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiKey
from core.db import clock


@pytest.fixture
def statements(tenant):
    """``statements("get", path)``: what the call asked of the database, transactions' own words apart."""
    ApiKey.objects.update(last_used_at=clock.now())

    def count(method, path, body=None):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            response = getattr(tenant.api, method)(path, body)
        assert response.status_code < 300, response.content
        words = [query["sql"] for query in asked if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]
        assert not any("COUNT(" in sql for sql in words), words
        return len(words)

    return count


def test_posting_takes_two_statements_the_key_and_the_message(statements, lounge):
    body = {"sender_id": "lan", "content": "hello"}
    assert statements("post", f"/api/v1/rooms/{lounge.pk}/messages/", body) == 2


def test_joining_takes_two_statements(statements, lounge):
    assert statements("post", f"/api/v1/rooms/{lounge.pk}/join", {"user_id": "new", "user_name": "New"}) == 2


def test_reading_a_room_with_its_exact_counts_takes_two_statements(statements, lounge, say):
    for number in range(5):
        say(str(number))
    assert statements("get", f"/api/v1/rooms/{lounge.pk}") == 2


def test_a_page_of_messages_takes_three_statements_whatever_the_number(statements, lounge, say):
    for number in range(30):
        say(str(number))
    assert statements("get", f"/api/v1/rooms/{lounge.pk}/messages/?limit=5") == 3
    assert statements("get", f"/api/v1/rooms/{lounge.pk}/messages/?limit=30&after_seq=3") == 3
