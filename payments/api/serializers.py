"""What the wallet routes accept."""

from typing import Any

from rest_framework import serializers

from gameplatform.wire.fields import IdField, NameField, QueryIdField, StrictSerializer, TextField

REASON_LENGTH_MAX = 200
STATEMENT_LINES_MAX = 100


class AdjustmentInput(StrictSerializer):
    """Body of POST /wallet/deposits and /wallet/withdrawals; the amount is text or number in whole tokens."""

    user_id = IdField()
    token = TextField(max_length=20)
    amount = serializers.JSONField()
    reason = NameField(max_length=REASON_LENGTH_MAX)


class StatementQuery(serializers.Serializer[Any]):
    """Query of GET /wallet/statement; ``before`` is the id of the last line already seen."""

    token = serializers.CharField(max_length=20)
    before = QueryIdField(required=False)
    limit = serializers.IntegerField(min_value=1, max_value=STATEMENT_LINES_MAX, default=20)
