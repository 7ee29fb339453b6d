"""Pages of lists that may have millions of rows: no statement counts them all."""

import json
from typing import Any

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import QuerySet
from django.utils.functional import cached_property

COUNT_MAX = 10_000


class EstimatingPaginator(Paginator):
    """The number of rows: of a filtered list counted up to ``COUNT_MAX``, of a whole large table PostgreSQL's estimate.

    A table that was never analysed, or is small, is counted the bounded way.
    """

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        if not rows.query.where:
            estimate = estimated_rows(rows.model._meta.db_table)
            if estimate > COUNT_MAX:
                return estimate
        return rows.order_by()[:COUNT_MAX].count()


def planned_rows(rows: QuerySet[Any]) -> int:
    """How many rows PostgreSQL expects the query to find: a guess from its statistics, which reads nothing."""
    plan = json.loads(rows.order_by().explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])


def estimated_rows(table: str) -> int:
    """How many rows PostgreSQL believes the table has; -1 when it was never analysed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [f'"{table}"'])
        row = cursor.fetchone()
    return int(row[0]) if row else -1
