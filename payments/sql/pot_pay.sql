-- pot_pay: players pay into a pot that the caller has locked, in one round trip (contract: pots, "/game/pay").
--
-- The rows are summed: one per (player, token), each amount > 0. Lowers each allowance, then books player → pot.
-- result: 'posted', or the first rule that refuses, with the players it refuses (offenders); the caller then rolls back.
-- Needs: payments/ledger_post
CREATE OR REPLACE FUNCTION pot_pay(
    p_pot bigint, p_players bigint[], p_tokens bigint[], p_amounts bigint[], p_job text, p_batch uuid, p_now timestamptz,
    OUT result text, OUT offenders bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    v_pot payments_pot;
    v_debits bigint[];
    v_credits bigint[];
    v_keys text[];
    v_short bigint;
BEGIN
    SELECT * INTO v_pot FROM payments_pot WHERE id = p_pot FOR NO KEY UPDATE;

    SELECT array_agg(DISTINCT r.player) INTO offenders FROM unnest(p_players) AS r (player)
        WHERE NOT EXISTS (SELECT 1 FROM payments_potmember m
            WHERE m.pot_id = p_pot AND m.player_id = r.player AND m.left_at IS NULL);
    IF offenders IS NOT NULL THEN
        result := 'not_joined';
        RETURN;
    END IF;

    -- In the order of their ids, so that two pays over the same players never wait for each other.
    PERFORM 1 FROM payments_allowance a WHERE a.game_id = v_pot.game_id
        AND (a.player_id, a.token_id) IN (SELECT * FROM unnest(p_players, p_tokens))
        ORDER BY a.id FOR NO KEY UPDATE;
    SELECT array_agg(DISTINCT r.player) INTO offenders
        FROM unnest(p_players, p_tokens, p_amounts) AS r (player, token, amount)
        LEFT JOIN payments_allowance a ON a.game_id = v_pot.game_id AND a.player_id = r.player AND a.token_id = r.token
        WHERE a.id IS NULL OR a.amount_minor < r.amount OR a.expires_at <= p_now;
    IF offenders IS NOT NULL THEN
        result := 'allowance';
        RETURN;
    END IF;
    UPDATE payments_allowance a SET amount_minor = a.amount_minor - r.amount
        FROM unnest(p_players, p_tokens, p_amounts) AS r (player, token, amount)
        WHERE a.game_id = v_pot.game_id AND a.player_id = r.player AND a.token_id = r.token;

    -- The pot's lock makes this the only transaction that opens accounts of this escrow.
    INSERT INTO payments_account (kind, escrow_id, token_id, balance_minor, created_at)
        SELECT 'escrow', v_pot.escrow_id, t.token, 0, p_now FROM (SELECT DISTINCT unnest(p_tokens)) AS t (token)
        WHERE NOT EXISTS (SELECT 1 FROM payments_account e
            WHERE e.kind = 'escrow' AND e.escrow_id = v_pot.escrow_id AND e.token_id = t.token);

    SELECT array_agg(w.id ORDER BY r.position), array_agg(e.id ORDER BY r.position),
            array_agg(p_job || ':pay:' || r.position ORDER BY r.position),
            array_agg(DISTINCT r.player) FILTER (WHERE w.id IS NULL)
        INTO v_debits, v_credits, v_keys, offenders
        FROM unnest(p_players, p_tokens) WITH ORDINALITY AS r (player, token, position)
        JOIN payments_playerprofile p ON p.id = r.player
        LEFT JOIN payments_account w ON w.kind = 'wallet' AND w.owner_id = p.user_id AND w.token_id = r.token
        JOIN payments_account e ON e.kind = 'escrow' AND e.escrow_id = v_pot.escrow_id AND e.token_id = r.token;
    IF offenders IS NOT NULL THEN
        result := 'insufficient_funds';
        RETURN;
    END IF;

    SELECT l.result, l.short_account INTO result, v_short FROM ledger_post(v_debits, v_credits, p_amounts,
        array_fill('pot_pay'::text, ARRAY[cardinality(p_amounts)]),
        array_fill('pot:' || p_pot, ARRAY[cardinality(p_amounts)]), v_keys, p_batch, p_now) l;
    IF result = 'insufficient_funds' THEN
        SELECT array_agg(DISTINCT r.player) INTO offenders FROM unnest(p_players, v_debits) AS r (player, debit)
            WHERE r.debit = v_short;
    END IF;
END $$;
