-- webhook_claim: take deliveries that are due, some of each endpoint, until p_until.
--
-- No endpoint has more than p_each under way, in all workers together, and one that fails has one: however slow it is,
-- the others are served. The lock on an endpoint makes that count exact: another worker skips it meanwhile, and who gets
-- the lock counts in a statement of its own, which sees what was claimed before. Where more are due than p_most, chance
-- decides, so that none is always last.
CREATE OR REPLACE FUNCTION webhook_claim(p_most int, p_each int, p_now timestamptz, p_until timestamptz)
RETURNS TABLE (delivery_id bigint, claimed_as uuid, attempt int) LANGUAGE plpgsql AS $$
DECLARE
    v_endpoints bigint[];
BEGIN
    SELECT array_agg(locked.id) INTO v_endpoints FROM (
        SELECT e.id FROM webhooks_endpoint e
            WHERE e.disabled_at IS NULL
                AND EXISTS (SELECT 1 FROM webhooks_delivery d
                    WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.next_attempt_at <= p_now)
                AND (SELECT count(*) FROM webhooks_delivery d WHERE d.endpoint_id = e.id AND d.state = 'pending'
                        AND d.next_attempt_at > p_now AND d.claim IS NOT NULL)
                    < CASE WHEN e.failing_since IS NULL THEN p_each ELSE 1 END
                AND NOT EXISTS (SELECT 1 FROM accounts_apiclient c WHERE c.id = e.client_id AND NOT c.is_active)
                AND NOT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = e.user_id AND NOT (u.is_active AND u.is_master))
            ORDER BY random() LIMIT p_most
            FOR NO KEY UPDATE OF e SKIP LOCKED
    ) locked;
    RETURN QUERY
    WITH due AS (
        SELECT d.id FROM webhooks_endpoint e CROSS JOIN LATERAL (
            SELECT x.id FROM webhooks_delivery x
                WHERE x.endpoint_id = e.id AND x.state = 'pending' AND x.next_attempt_at <= p_now
                ORDER BY x.next_attempt_at, x.id
                LIMIT greatest(0, CASE WHEN e.failing_since IS NULL THEN p_each ELSE 1 END
                    - (SELECT count(*) FROM webhooks_delivery y WHERE y.endpoint_id = e.id AND y.state = 'pending'
                        AND y.next_attempt_at > p_now AND y.claim IS NOT NULL))
                FOR NO KEY UPDATE SKIP LOCKED
        ) d
        WHERE e.id = ANY (v_endpoints)
        LIMIT p_most
    )
    UPDATE webhooks_delivery d SET claim = gen_random_uuid(), attempts = d.attempts + 1, next_attempt_at = p_until
        FROM due WHERE d.id = due.id
        RETURNING d.id, d.claim, d.attempts::int;
END $$;
