-- pot_earn: players earn from a pot that the caller has locked, in one round trip (contract: pots, "/game/earn").
--
-- The rows are summed: one per (player, token), each amount > 0. The house takes p_fee_bp basis points of each row,
-- rounded down. result: 'posted', or 'not_joined' (offenders: never were in this pot) or 'insufficient_funds' (the pot
-- holds less); the caller then rolls back.
-- Needs: payments/ledger_post
CREATE OR REPLACE FUNCTION pot_earn(
    p_pot bigint, p_players bigint[], p_tokens bigint[], p_amounts bigint[], p_fee_bp int, p_job text, p_batch uuid,
    p_now timestamptz,
    OUT result text, OUT offenders bigint[], OUT fees bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    v_escrow bigint;
    v_debits bigint[];
    v_credits bigint[];
    v_amounts bigint[];
    v_codes text[];
    v_keys text[];
BEGIN
    SELECT escrow_id INTO v_escrow FROM payments_pot WHERE id = p_pot FOR NO KEY UPDATE;

    SELECT array_agg(DISTINCT r.player) INTO offenders FROM unnest(p_players) AS r (player)
        WHERE NOT EXISTS (SELECT 1 FROM payments_potmember m WHERE m.pot_id = p_pot AND m.player_id = r.player);
    IF offenders IS NOT NULL THEN
        result := 'not_joined';
        RETURN;
    END IF;

    SELECT array_agg(div(r.amount::numeric * p_fee_bp, 10000)::bigint ORDER BY r.position) INTO fees
        FROM unnest(p_amounts) WITH ORDINALITY AS r (amount, position);

    -- New wallets in one global order: two transactions that open the same ones wait for each other, never in a ring.
    INSERT INTO payments_account (kind, owner_id, token_id, balance_minor, created_at)
        SELECT DISTINCT 'wallet', p.user_id, r.token, 0, p_now
        FROM unnest(p_players, p_tokens) AS r (player, token) JOIN payments_playerprofile p ON p.id = r.player
        WHERE NOT EXISTS (SELECT 1 FROM payments_account w
            WHERE w.kind = 'wallet' AND w.owner_id = p.user_id AND w.token_id = r.token)
        ORDER BY p.user_id, r.token
        ON CONFLICT DO NOTHING;
    IF p_fee_bp > 0 THEN
        INSERT INTO payments_account (kind, token_id, balance_minor, created_at)
            SELECT DISTINCT 'house', r.token, 0, p_now FROM unnest(p_tokens) AS r (token) ORDER BY r.token
            ON CONFLICT DO NOTHING;
    END IF;

    SELECT array_agg(x.debit ORDER BY x.position, x.key), array_agg(x.credit ORDER BY x.position, x.key),
            array_agg(x.amount ORDER BY x.position, x.key), array_agg(x.code ORDER BY x.position, x.key),
            array_agg(x.key ORDER BY x.position, x.key)
        INTO v_debits, v_credits, v_amounts, v_codes, v_keys
        FROM (
            SELECT r.position, e.id AS debit, w.id AS credit, r.amount - r.fee AS amount, 'pot_earn' AS code,
                    p_job || ':earn:' || r.position AS key
                FROM unnest(p_players, p_tokens, p_amounts, fees) WITH ORDINALITY
                    AS r (player, token, amount, fee, position)
                JOIN payments_playerprofile p ON p.id = r.player
                JOIN payments_account w ON w.kind = 'wallet' AND w.owner_id = p.user_id AND w.token_id = r.token
                LEFT JOIN payments_account e ON e.kind = 'escrow' AND e.escrow_id = v_escrow AND e.token_id = r.token
            UNION ALL
            SELECT r.position, e.id, h.id, r.fee, 'pot_fee', p_job || ':fee:' || r.position
                FROM unnest(p_tokens, fees) WITH ORDINALITY AS r (token, fee, position)
                JOIN payments_account h ON h.kind = 'house' AND h.token_id = r.token
                LEFT JOIN payments_account e ON e.kind = 'escrow' AND e.escrow_id = v_escrow AND e.token_id = r.token
        ) x WHERE x.amount > 0;
    IF v_debits IS NULL OR array_position(v_debits, NULL) IS NOT NULL THEN
        result := 'insufficient_funds';
        RETURN;
    END IF;

    SELECT l.result INTO result FROM ledger_post(v_debits, v_credits, v_amounts, v_codes,
        array_fill('pot:' || p_pot, ARRAY[cardinality(v_amounts)]), v_keys, p_batch, p_now) l;
END $$;
