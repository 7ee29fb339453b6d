-- Needs: payments/ledger_post

-- session_pool: the balance of a session's escrow, its row locked. Everything that closes a session starts here.
CREATE OR REPLACE FUNCTION session_pool(p_session bigint, OUT account bigint, OUT pool_minor bigint)
LANGUAGE sql AS $$
    SELECT a.id, a.balance_minor FROM rooms_session s
        JOIN payments_account a ON a.escrow_id = s.escrow_id AND a.token_id = s.token_id
        WHERE s.id = p_session FOR NO KEY UPDATE OF a
$$;

-- session_refund: refund each paid participant what it paid, all in one batch, and record the outcome.
-- The caller holds the session's lock. The escrow must be empty afterwards, or everything is undone.
-- result: 'refunded', or 'token_frozen'; the caller then rolls back.
CREATE OR REPLACE FUNCTION session_refund(
    p_session bigint, p_batch uuid, p_now timestamptz, OUT result text, OUT entries int, OUT pool_minor bigint
) LANGUAGE plpgsql AS $$
DECLARE
    v_token bigint;
    v_escrow bigint;
    v_result text;
    v_left bigint;
    v_posting record;
BEGIN
    SELECT token_id INTO v_token FROM rooms_session WHERE id = p_session;
    SELECT array_agg(a.id ORDER BY p.id) AS wallets, array_agg(p.amount_minor ORDER BY p.id) AS amounts,
            array_agg('session:' || p_session || ':refund:' || p.id ORDER BY p.id) AS keys,
            count(*)::int AS n, coalesce(sum(p.amount_minor), 0)::bigint AS total
        INTO v_posting
        FROM rooms_participant p
        LEFT JOIN payments_account a ON a.kind = 'wallet' AND a.owner_id = p.user_id AND a.token_id = v_token
        WHERE p.session_id = p_session AND p.status = 'paid';
    entries := v_posting.n;
    IF entries > 0 THEN
        -- All accounts are locked by ledger_post in id order; the escrow's balance is only read after that.
        SELECT a.id INTO v_escrow FROM rooms_session s
            JOIN payments_account a ON a.escrow_id = s.escrow_id AND a.token_id = s.token_id WHERE s.id = p_session;
        SELECT l.result INTO v_result FROM ledger_post(array_fill(v_escrow, ARRAY[entries]), v_posting.wallets,
            v_posting.amounts, array_fill('refund'::text, ARRAY[entries]),
            array_fill('session:' || p_session, ARRAY[entries]), v_posting.keys, p_batch, p_now) l;
        IF v_result = 'token_frozen' THEN
            result := v_result;
            RETURN;
        ELSIF v_result <> 'posted' THEN
            RAISE EXCEPTION 'session_refund: session % was not refunded: %', p_session, v_result;
        END IF;
        UPDATE rooms_participant p SET status = 'refunded', closed_at = p_now, refund_tx_hash = t.tx_hash
            FROM payments_transfer t
            WHERE p.session_id = p_session AND p.status = 'paid'
                AND t.idempotency_key = 'session:' || p_session || ':refund:' || p.id;
    END IF;
    pool_minor := v_posting.total;
    SELECT x.pool_minor INTO v_left FROM session_pool(p_session) x;
    IF v_left <> 0 THEN
        RAISE EXCEPTION 'session_refund: session % still holds % units', p_session, v_left;
    END IF;
    INSERT INTO rooms_outcome (session_id, kind, entries, pool_minor, at)
        VALUES (p_session, 'refunded', entries, pool_minor, p_now);
    result := 'refunded';
END $$;

-- session_settle: record every participant's rank and pay the prizes out of the escrow, all in one batch.
-- p_participants are all paid participants in rank order, p_prizes their prizes (0: none), which share p_pool_minor. The
-- caller holds the session's lock. Prizes must empty the escrow exactly, or everything is undone.
-- result: 'settled', or 'token_frozen'; the caller then rolls back.
CREATE OR REPLACE FUNCTION session_settle(
    p_session bigint, p_participants bigint[], p_prizes bigint[], p_pool_minor bigint, p_batch uuid, p_now timestamptz,
    OUT result text
) LANGUAGE plpgsql AS $$
DECLARE
    v_token bigint;
    v_escrow bigint;
    v_result text;
    v_left bigint;
    v_ranked int;
    v_entries int;
    v_posting record;
BEGIN
    SELECT token_id INTO v_token FROM rooms_session WHERE id = p_session;
    SELECT a.id INTO v_escrow FROM rooms_session s
        JOIN payments_account a ON a.escrow_id = s.escrow_id AND a.token_id = s.token_id WHERE s.id = p_session;
    UPDATE rooms_participant p SET rank = r.rank, prize_minor = r.prize, closed_at = p_now
        FROM unnest(p_participants, p_prizes) WITH ORDINALITY AS r (id, prize, rank)
        WHERE p.id = r.id AND p.session_id = p_session AND p.status = 'paid' AND p.rank IS NULL;
    GET DIAGNOSTICS v_ranked = ROW_COUNT;
    SELECT count(*) INTO v_entries FROM rooms_participant WHERE session_id = p_session AND status = 'paid';
    IF v_ranked <> v_entries OR v_ranked <> cardinality(p_participants) THEN
        RAISE EXCEPTION 'session_settle: session % has % paid entries, % were ranked', p_session, v_entries, v_ranked;
    END IF;

    SELECT array_agg(a.id ORDER BY p.rank) AS wallets, array_agg(p.prize_minor ORDER BY p.rank) AS amounts,
            array_agg('session:' || p_session || ':prize:' || p.id ORDER BY p.rank) AS keys,
            count(*)::int AS n
        INTO v_posting
        FROM rooms_participant p
        LEFT JOIN payments_account a ON a.kind = 'wallet' AND a.owner_id = p.user_id AND a.token_id = v_token
        WHERE p.session_id = p_session AND p.status = 'paid' AND p.prize_minor > 0;
    SELECT l.result INTO v_result FROM ledger_post(array_fill(v_escrow, ARRAY[v_posting.n]), v_posting.wallets,
        v_posting.amounts, array_fill('prize'::text, ARRAY[v_posting.n]),
        array_fill('session:' || p_session, ARRAY[v_posting.n]), v_posting.keys, p_batch, p_now) l;
    IF v_result = 'token_frozen' THEN
        result := v_result;
        RETURN;
    ELSIF v_result <> 'posted' THEN
        RAISE EXCEPTION 'session_settle: session % was not paid out: %', p_session, v_result;
    END IF;
    UPDATE rooms_participant p SET prize_tx_hash = t.tx_hash FROM payments_transfer t
        WHERE p.session_id = p_session AND p.prize_minor > 0
            AND t.idempotency_key = 'session:' || p_session || ':prize:' || p.id;
    SELECT x.pool_minor INTO v_left FROM session_pool(p_session) x;
    IF v_left <> 0 THEN
        RAISE EXCEPTION 'session_settle: % units of session % were left over', v_left, p_session;
    END IF;
    INSERT INTO rooms_outcome (session_id, kind, entries, pool_minor, at)
        VALUES (p_session, 'settled', v_entries, p_pool_minor, p_now);
    result := 'settled';
END $$;
