"""What the wallet routes accept."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.wire.fields import AMOUNT_SCHEMA, IdField, NameField, QueryIdField, StrictSerializer, TextField

REASON_LENGTH_MAX = 200
STATEMENT_LINES_MAX = 100


@extend_schema_field(AMOUNT_SCHEMA)
class UnreadAmountField(serializers.JSONField):
    """An amount as it came: how many decimals it may have is known when its token is."""


class AdjustmentInput(StrictSerializer):
    """Body of POST /wallet/deposits and /wallet/withdrawals; the amount is text or number in whole tokens."""

    user_id = IdField()
    token = TextField(max_length=20)
    amount = UnreadAmountField()
    reason = NameField(max_length=REASON_LENGTH_MAX)


class StatementQuery(serializers.Serializer[Any]):
    """Query of GET /wallet/statement; ``before`` is the id of the last line already seen."""

    token = serializers.CharField(max_length=20)
    before = QueryIdField(required=False)
    limit = serializers.IntegerField(min_value=1, max_value=STATEMENT_LINES_MAX, default=20)
