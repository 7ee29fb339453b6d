-- transfer_hash: SHA-256 (lower-case hex) over a transfer's content, parts joined by '|'. payments.audit recomputes it.
CREATE OR REPLACE FUNCTION transfer_hash(
    p_debit bigint, p_credit bigint, p_token bigint, p_amount bigint, p_code text, p_reference text, p_key text,
    p_batch uuid, p_corrects bigint, p_created_at timestamptz
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT encode(sha256(convert_to(concat_ws('|', 'gameplatform-transfer-v1', p_debit, p_credit, p_token, p_amount,
        p_code, p_reference, p_key, p_batch, coalesce(p_corrects::text, '-'),
        (extract(epoch FROM p_created_at) * 1000000)::bigint), 'UTF8')), 'hex')
$$;

-- ledger_post: book a batch of transfers, all of them or none. The only writer of balances and transfers.
--
-- result: 'posted'; 'replayed' when every key was already booked with the same content (nothing is done);
--         'token_frozen' when a token of the batch is frozen (nothing is done);
--         'insufficient_funds' when an account would go below 0 (short_account names the first; nothing is done).
-- A key already booked with other content, a partly booked batch, an unknown account or two tokens in one transfer are
-- programming errors and raise. Keys are looked up before balances: repeating a success never answers "insufficient".
-- Transfer ids are drawn by the INSERT itself and by nothing before it: payments.seals counts on that.
CREATE OR REPLACE FUNCTION ledger_post(
    p_debits bigint[], p_credits bigint[], p_amounts bigint[], p_codes text[], p_references text[], p_keys text[],
    p_batch uuid, p_now timestamptz, p_corrects bigint[] DEFAULT NULL,
    OUT result text, OUT short_account bigint
) LANGUAGE plpgsql AS $$
DECLARE
    v_rows int := cardinality(p_debits);
    v_known int;
    v_same int;
BEGIN
    IF 0 >= ANY (p_amounts) THEN
        RAISE EXCEPTION 'ledger_post: an amount is not positive: %', p_amounts[1:3] USING ERRCODE = 'check_violation';
    END IF;
    -- One global order, so that two batches over the same accounts never wait for each other.
    PERFORM 1 FROM payments_account WHERE id = ANY (p_debits || p_credits) ORDER BY id FOR NO KEY UPDATE;

    SELECT count(*), count(*) FILTER (WHERE t.debit_account_id = r.debit AND t.credit_account_id = r.credit
            AND t.amount_minor = r.amount AND t.code = r.code AND t.reference = r.reference)
        INTO v_known, v_same
        FROM unnest(p_debits, p_credits, p_amounts, p_codes, p_references, p_keys)
            AS r (debit, credit, amount, code, reference, key)
        JOIN payments_transfer t ON t.idempotency_key = r.key;
    IF v_known > 0 THEN
        IF v_same <> v_rows THEN
            RAISE EXCEPTION 'ledger_post: an idempotency key of this batch was booked with other content: %', p_keys[1:3];
        END IF;
        result := 'replayed';
        RETURN;
    END IF;

    IF EXISTS (SELECT 1 FROM payments_token k WHERE k.payouts_frozen_at IS NOT NULL AND EXISTS (
            SELECT 1 FROM payments_account a WHERE a.token_id = k.id AND a.id = ANY (p_debits))) THEN
        result := 'token_frozen';
        RETURN;
    END IF;

    SELECT a.id INTO short_account
        FROM (SELECT d.id, sum(d.delta) AS delta FROM (
                SELECT id, -amount AS delta FROM unnest(p_debits, p_amounts) AS x (id, amount)
                UNION ALL SELECT id, amount FROM unnest(p_credits, p_amounts) AS x (id, amount)) d GROUP BY d.id) s
        JOIN payments_account a ON a.id = s.id
        WHERE a.kind <> 'issuance' AND a.balance_minor + s.delta < 0 ORDER BY a.id LIMIT 1;
    IF short_account IS NOT NULL THEN
        result := 'insufficient_funds';
        RETURN;
    END IF;

    UPDATE payments_account a SET balance_minor = a.balance_minor + s.delta
        FROM (SELECT d.id, sum(d.delta) AS delta FROM (
                SELECT id, -amount AS delta FROM unnest(p_debits, p_amounts) AS x (id, amount)
                UNION ALL SELECT id, amount FROM unnest(p_credits, p_amounts) AS x (id, amount)) d GROUP BY d.id) s
        WHERE a.id = s.id;

    INSERT INTO payments_transfer (debit_account_id, credit_account_id, token_id, amount_minor, code, reference,
            idempotency_key, batch, corrects_id, tx_hash, created_at)
        SELECT r.debit, r.credit, a.token_id, r.amount, r.code, r.reference, r.key, p_batch, r.corrects,
            transfer_hash(r.debit, r.credit, a.token_id, r.amount, r.code, r.reference, r.key, p_batch, r.corrects, p_now),
            p_now
        FROM unnest(p_debits, p_credits, p_amounts, p_codes, p_references, p_keys,
                coalesce(p_corrects, array_fill(NULL::bigint, ARRAY[v_rows])))
            WITH ORDINALITY AS r (debit, credit, amount, code, reference, key, corrects, position)
        LEFT JOIN payments_account a ON a.id = r.debit
        ORDER BY r.position;
    result := 'posted';
END $$;
