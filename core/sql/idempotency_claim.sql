-- idempotency_claim: hold a caller's key until the transaction ends, or say why not. Never waits.
--
-- result: 'fresh' (run the request, then keep its answer in this transaction), 'replayed' (with the kept answer), 'reused'
-- (the key is another request's), 'in_flight' (the same request is running). The first lock is the request's own, the
-- second the key's: so a twin is told from another request while neither has committed. Both are taken before the record
-- is looked up, by a statement of its own: what the last holder committed is seen.
-- A record in flight is of a request that is not one transaction; it counts until p_dead_since.
CREATE OR REPLACE FUNCTION idempotency_claim(
    p_caller text, p_endpoint text, p_key text, p_request_hash bytea, p_dead_since timestamptz,
    OUT result text, OUT status smallint, OUT body bytea
) LANGUAGE plpgsql AS $$
DECLARE
    v_name text := concat_ws(E'\n', p_caller, p_endpoint, p_key);
    r core_idempotencyrecord;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(concat_ws(E'\n', v_name, encode(p_request_hash, 'hex')), 0)) THEN
        result := 'in_flight';
        RETURN;
    END IF;
    IF NOT pg_try_advisory_xact_lock(hashtextextended(v_name, 0)) THEN
        result := 'reused';
        RETURN;
    END IF;
    SELECT * INTO r FROM core_idempotencyrecord x
        WHERE x.caller = p_caller AND x.endpoint = p_endpoint AND x.key = p_key;
    status := r.response_status;
    body := r.response_body;
    result := CASE
        WHEN r.id IS NULL THEN 'fresh'
        WHEN r.request_hash <> p_request_hash THEN 'reused'
        WHEN r.state = 'done' THEN 'replayed'
        WHEN r.locked_at > p_dead_since THEN 'in_flight'
        ELSE 'fresh'
    END;
END $$;
