"""Checks of sessions against the books (`manage.py verify_ledger`); see `payments.audit`."""

from payments.audit import REPEATS, check_by_sql

ROOM_CHECKS = (
    check_by_sql(
        "I5",
        "every paid place has its entry fee in the books",
        """SELECT 'session ' || p.session_id, format('participant %s: its entry fee is not in the books', p.id),
               k.symbol
           FROM rooms_participant p JOIN rooms_session s ON s.id = p.session_id
           JOIN payments_token k ON k.id = s.token_id
           LEFT JOIN payments_transfer t ON t.idempotency_key = 'session:' || p.session_id || ':entry:' || p.id
           WHERE t.id IS NULL OR t.amount_minor <> p.amount_minor OR t.tx_hash <> p.entry_tx_hash
           ORDER BY p.session_id, p.id""",
        is_money=True,
    ),
    check_by_sql(
        "I6",
        "every session that is over was settled or refunded, once, and no live one was",
        """SELECT 'session ' || s.id, format('is %s, its outcome is %s', s.status, coalesce(o.kind, 'missing')),
               k.symbol
           FROM rooms_session s JOIN payments_token k ON k.id = s.token_id
           LEFT JOIN rooms_outcome o ON o.session_id = s.id
           WHERE o.kind IS DISTINCT FROM CASE s.status WHEN 'ended' THEN 'settled' WHEN 'out' THEN 'refunded'
               WHEN 'void' THEN 'refunded' END
           ORDER BY s.id""",
        is_money=True,
    ),
    check_by_sql(
        "I7",
        "a live session's escrow holds the fees of its entries, one that is over holds nothing",
        """SELECT 'session ' || s.id, format('is %s with %s entries of %s, its escrow holds %s', s.status,
               s.participants_count, s.entry_fee_minor, a.balance_minor), k.symbol
           FROM rooms_session s JOIN payments_token k ON k.id = s.token_id
           LEFT JOIN payments_account a ON a.escrow_id = s.escrow_id AND a.token_id = s.token_id
           LEFT JOIN LATERAL (SELECT count(*) AS paid FROM rooms_participant p
               WHERE p.session_id = s.id AND p.status <> 'left') n ON true
           WHERE a.balance_minor IS DISTINCT FROM
                   CASE WHEN s.status IN ('pending', 'running') THEN s.entry_fee_minor * s.participants_count ELSE 0 END
               OR n.paid <> s.participants_count
           ORDER BY s.id""",
        is_money=True,
    ),
    check_by_sql(
        "I8",
        "the prizes of a session are its pool, none larger than that of a better rank, each paid as recorded",
        """SELECT 'session ' || s.id, what, k.symbol
           FROM rooms_session s JOIN payments_token k ON k.id = s.token_id
           JOIN rooms_outcome o ON o.session_id = s.id
           JOIN LATERAL (
               SELECT format('prizes sum to %s, the pool was %s', coalesce(sum(p.prize_minor), 0), o.pool_minor) AS what
               FROM rooms_participant p WHERE p.session_id = s.id
               HAVING coalesce(sum(p.prize_minor), 0) <> o.pool_minor
                   OR count(*) FILTER (WHERE p.prize_minor > 0) <> cardinality(s.prize_shares_bp)
               UNION ALL
               SELECT format('rank %s gets %s, more than the rank before', rank, prize_minor) FROM (
                   SELECT rank, prize_minor, lag(prize_minor) OVER (ORDER BY rank) AS before
                   FROM rooms_participant WHERE session_id = s.id AND rank IS NOT NULL) r WHERE prize_minor > before
               UNION ALL
               SELECT format('participant %s: the prize of %s is not in the books', p.id, p.prize_minor)
               FROM rooms_participant p LEFT JOIN payments_transfer t
                   ON t.idempotency_key = 'session:' || s.id || ':prize:' || p.id
               WHERE p.session_id = s.id AND coalesce(p.prize_minor, 0) <> coalesce(t.amount_minor, 0)
           ) w ON true WHERE o.kind = 'settled' ORDER BY s.id""",
        is_money=True,
    ),
    check_by_sql(
        "I9",
        "every refund is what was paid, and there is no refund of a place that stands",
        """SELECT 'session ' || p.session_id, format('participant %s is %s, paid %s, was refunded %s', p.id, p.status,
               p.amount_minor, coalesce(t.amount_minor, 0)), k.symbol
           FROM rooms_participant p JOIN rooms_session s ON s.id = p.session_id
           JOIN payments_token k ON k.id = s.token_id LEFT JOIN payments_transfer t
               ON t.idempotency_key = 'session:' || p.session_id || ':refund:' || p.id
           WHERE coalesce(t.amount_minor, 0) <> CASE WHEN p.status = 'paid' THEN 0 ELSE p.amount_minor END
           ORDER BY p.id""",
        is_money=True,
    ),
    check_by_sql(
        "I11",
        "every session's state is the last of its steps, and each step begins where the one before ended",
        """SELECT 'session ' || session_id, format('step %s → %s after %s', from_status, to_status, before) FROM (
               SELECT t.session_id, t.from_status, t.to_status, s.status,
                   coalesce(lag(t.to_status) OVER w, '') AS before, lead(t.id) OVER w AS next
               FROM rooms_sessiontransition t JOIN rooms_session s ON s.id = t.session_id
               WINDOW w AS (PARTITION BY t.session_id ORDER BY t.id)) x
           WHERE from_status <> before OR (next IS NULL AND to_status <> status) ORDER BY session_id""",
    ),
    check_by_sql(
        "I17",
        "every fee, refund and prize belongs to one place, by its key, between that player and that session",
        f"""SELECT 'transfer ' || t.id,
               format('%s by the key %s belongs to no place%s', t.code, t.idempotency_key, {REPEATS}), k.symbol
           FROM payments_transfer t JOIN payments_token k ON k.id = t.token_id
           JOIN (VALUES ('entry_fee', 'entry'), ('refund', 'refund'), ('prize', 'prize')) AS e (code, word)
               ON e.code = t.code
           JOIN payments_account w
               ON w.id = CASE e.word WHEN 'entry' THEN t.debit_account_id ELSE t.credit_account_id END
           JOIN payments_account h
               ON h.id = CASE e.word WHEN 'entry' THEN t.credit_account_id ELSE t.debit_account_id END
           LEFT JOIN rooms_participant p ON p.id::text = split_part(t.idempotency_key, ':', 4)
           LEFT JOIN rooms_session s ON s.id = p.session_id
           WHERE (t.reference, t.idempotency_key, w.owner_id, h.escrow_id) IS DISTINCT FROM ('session:' || s.id,
               'session:' || s.id || ':' || e.word || ':' || p.id, p.user_id, s.escrow_id)
           ORDER BY t.id""",
        is_money=True,
    ),
)
