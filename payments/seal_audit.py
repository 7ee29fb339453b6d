"""Checks of the transfers against their seals (building blocks of `manage.py verify_ledger`).

A seal that does not fit means tampering with the database, so a finding concerns every token.
"""

from payments.audit import check_by_sql
from payments.seals import GENESIS_DIGEST

SEAL_CHECKS = (
    check_by_sql(
        "S1",
        "every seal continues the one before, from the first transfer on",
        f"""SELECT 'seal ' || id,
                format('begins at transfer %s after digest %s…, the seal before it ended at %s with %s…',
                first_transfer_id, left(previous_digest, 12), last_before, left(digest_before, 12))
           FROM (SELECT s.*, lag(last_transfer_id, 1, 0::bigint) OVER w AS last_before,
                    lag(digest, 1, '{GENESIS_DIGEST}') OVER w AS digest_before
                FROM payments_ledgerseal s WINDOW w AS (ORDER BY first_transfer_id)) x
           WHERE first_transfer_id <> last_before + 1 OR previous_digest <> digest_before ORDER BY first_transfer_id""",
        is_money=True,
    ),
    check_by_sql(
        "S2",
        "what stands in each sealed range is what was sealed: no transfer was changed, removed or slipped in",
        """WITH wrong AS MATERIALIZED (
               SELECT s.id, s.first_transfer_id AS first, s.last_transfer_id AS last, s.gaps
               FROM payments_ledgerseal s CROSS JOIN LATERAL
                   ledger_seal_facts(s.previous_digest, s.first_transfer_id, s.last_transfer_id) f
               WHERE (f.count, f.digest, f.gaps) IS DISTINCT FROM (s.count, s.digest::text, s.gaps)
           ), hole AS (
               SELECT w.id, w.gaps[n][1] AS first, w.gaps[n][2] AS last
               FROM wrong w CROSS JOIN LATERAL generate_subscripts(w.gaps, 1) AS n
           ), named AS (
               SELECT w.id, i.id AS transfer, 'was removed after it was sealed' AS what
               FROM wrong w CROSS JOIN LATERAL generate_series(w.first, w.last) AS i (id)
               WHERE NOT EXISTS (SELECT 1 FROM payments_transfer t WHERE t.id = i.id)
                   AND NOT EXISTS (SELECT 1 FROM hole h WHERE h.id = w.id AND i.id BETWEEN h.first AND h.last)
               UNION ALL
               SELECT h.id, t.id, 'was slipped into a sealed range'
               FROM hole h JOIN payments_transfer t ON t.id BETWEEN h.first AND h.last
           )
           SELECT x.name, x.what FROM (
               SELECT id, transfer, 'transfer ' || transfer AS name, format('%s (seal %s)', what, id) AS what FROM named
               UNION ALL
               SELECT id, 0, 'seal ' || id, format('transfers %s to %s do not give the sealed digest', first, last)
               FROM wrong w WHERE NOT EXISTS (SELECT 1 FROM named n WHERE n.id = w.id)
               UNION ALL
               SELECT 0, id, 'transfer ' || id, 'stands before the first id' FROM payments_transfer WHERE id < 1
           ) x ORDER BY x.id, x.transfer""",
        is_money=True,
    ),
)
