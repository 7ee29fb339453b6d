"""Checks of pots and their jobs against the books (building blocks of `manage.py verify_ledger`)."""

from payments.audit import REPEATS, check_by_sql
from payments.jobs import KEEP

POT_CHECKS = (
    check_by_sql(
        "P1",
        "a pot's escrow holds what was paid in less what was earned, taken as fee and returned, and no other cent",
        """SELECT 'pot ' || p.id, format('%s account %s holds %s, its payments leave %s', k.symbol, a.id,
               a.balance_minor, coalesce(m.total, 0)), k.symbol
           FROM payments_pot p JOIN payments_account a ON a.escrow_id = p.escrow_id
           JOIN payments_token k ON k.id = a.token_id
           LEFT JOIN LATERAL (SELECT
                   sum(CASE WHEN t.credit_account_id = a.id THEN t.amount_minor ELSE -t.amount_minor END) AS total
               FROM payments_transfer t WHERE t.reference = 'pot:' || p.id
                   AND ((t.credit_account_id = a.id AND t.code = 'pot_pay')
                       OR (t.debit_account_id = a.id AND t.code IN ('pot_earn', 'pot_fee', 'pot_close')))) m ON true
           WHERE a.balance_minor <> coalesce(m.total, 0) ORDER BY p.id, a.id""",
        is_money=True,
    ),
    check_by_sql(
        "P2",
        "a pot that is over holds nothing",
        """SELECT 'pot ' || p.id, format('is %s and holds %s units', p.status, a.balance_minor), k.symbol
           FROM payments_pot p JOIN payments_account a ON a.escrow_id = p.escrow_id
           JOIN payments_token k ON k.id = a.token_id
           WHERE p.status <> 'open' AND a.balance_minor <> 0 ORDER BY p.id""",
        is_money=True,
    ),
    check_by_sql(
        "P3",
        "no allowance is negative",
        """SELECT 'allowance ' || id, format('%s units', amount_minor) FROM payments_allowance
           WHERE amount_minor < 0 ORDER BY id""",
    ),
    check_by_sql(
        "P4",
        "a pot counts its members right, and never more than its capacity",
        """SELECT 'pot ' || p.id, format('counts %s members of at most %s, has %s', p.members_count,
               coalesce(p.capacity::text, 'any'), n.inside)
           FROM payments_pot p CROSS JOIN LATERAL (SELECT count(*) AS inside FROM payments_potmember m
               WHERE m.pot_id = p.id AND m.left_at IS NULL) n
           WHERE n.inside <> p.members_count OR n.inside > p.capacity ORDER BY p.id""",
    ),
    check_by_sql(
        "P5",
        "the pots of a game are numbered 1, 2, 3… without a gap",
        """SELECT 'game ' || p.game_id, format('%s pots, the highest number is %s, the counter says %s', count(*),
               max(p.number), max(g.last_pot_number))
           FROM payments_pot p LEFT JOIN payments_potgame g ON g.game_id = p.game_id
           GROUP BY p.game_id HAVING count(*) <> max(p.number) OR max(p.number) IS DISTINCT FROM max(g.last_pot_number)
           ORDER BY p.game_id""",
    ),
    check_by_sql(
        "P6",
        "a job that succeeded booked exactly what its result says, and one that did not booked nothing",
        """SELECT 'job ' || j.public_id, format('is %s with %s units in its result, %s in the books', j.status, r.told,
               b.booked)
           FROM payments_job j
           CROSS JOIN LATERAL (SELECT coalesce(sum((x.row ->> 'amount_minor')::bigint), 0) AS told FROM (
               SELECT jsonb_array_elements(coalesce(j.result -> 'payments', '[]')
                   || coalesce(j.result -> 'distributions', '[]')
                   || coalesce(j.result -> 'returned', '[]')) AS row) x) r
           LEFT JOIN (SELECT split_part(idempotency_key, ':', 4) AS job, sum(amount_minor) AS total
               FROM payments_transfer WHERE code IN ('pot_pay', 'pot_earn', 'pot_fee', 'pot_close')
               GROUP BY 1) t ON t.job = j.public_id::text
           CROSS JOIN LATERAL (SELECT coalesce(t.total, 0) AS booked) b
           WHERE r.told <> b.booked OR (j.status <> 'success' AND b.booked <> 0) ORDER BY j.id""",
    ),
    check_by_sql(
        "P7",
        "a pot's escrow is controlled by pots",
        """SELECT 'pot ' || p.id, format('its escrow %s is controlled by %s', e.id, e.controller)
           FROM payments_pot p JOIN payments_escrow e ON e.id = p.escrow_id WHERE e.controller <> 'pot'
           ORDER BY p.id""",
    ),
    check_by_sql(
        "P8",
        "every payment of a pot names its pot and the job that made it",
        # Jobs are pruned (``payments.jobs.prunable``): of an older payment only the pot can be told.
        f"""SELECT 'transfer ' || t.id, format('%s by the key %s has no %s%s', t.code, t.idempotency_key,
               CASE WHEN p.id IS NULL THEN 'pot' ELSE 'job' END, {REPEATS}), k.symbol
           FROM payments_transfer t JOIN payments_token k ON k.id = t.token_id
           LEFT JOIN payments_account e ON e.kind = 'escrow'
               AND e.id = CASE t.code WHEN 'pot_pay' THEN t.credit_account_id ELSE t.debit_account_id END
           LEFT JOIN payments_pot p ON p.escrow_id = e.escrow_id AND t.reference = 'pot:' || p.id
           LEFT JOIN payments_job j ON j.public_id::text = split_part(t.idempotency_key, ':', 4)
               AND j.game_id = p.game_id
           WHERE t.code ~ '^pot_' AND (p.id IS NULL
               OR t.idempotency_key
                   !~ concat('^', t.reference, ':job:[0-9a-f-]{{36}}:', substr(t.code, 5), ':[1-9][0-9]*$')
               OR (j.id IS NULL AND t.created_at > now() - interval '{KEEP.total_seconds():.0f} seconds'))
           ORDER BY t.id""",
        is_money=True,
    ),
)
