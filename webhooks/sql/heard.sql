-- webhook_heard: whether anybody listens to this type at all. Asked along with a hot path's own statement, so that a
-- platform without webhooks pays nothing but a look into an index.
CREATE OR REPLACE FUNCTION webhook_heard(p_type text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM webhooks_endpoint e
        WHERE e.disabled_at IS NULL AND e.types @> ARRAY[p_type]::varchar[])
$$;

-- webhook_heard_by: whether this client's endpoints do; without a client, whether the platform's own do.
CREATE OR REPLACE FUNCTION webhook_heard_by(p_type text, p_client bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_client IS NULL
        THEN EXISTS (SELECT 1 FROM webhooks_endpoint e WHERE e.client_id IS NULL AND e.user_id IS NULL
            AND e.disabled_at IS NULL AND e.types @> ARRAY[p_type]::varchar[])
        ELSE EXISTS (SELECT 1 FROM webhooks_endpoint e WHERE e.client_id = p_client
            AND e.disabled_at IS NULL AND e.types @> ARRAY[p_type]::varchar[])
    END
$$;

-- webhook_record: keep these events and what is owed to each endpoint that listens; nothing when nobody does.
--
-- Whose business they are: p_client's (a tenant), that of the clients acting for p_game, the master p_user's, and, with
-- p_platform, the platform's own. Answers how many deliveries there will be.
CREATE OR REPLACE FUNCTION webhook_record(
    p_ids text[], p_types text[], p_data text[], p_client bigint, p_game bigint, p_user bigint, p_platform boolean,
    p_now timestamptz
) RETURNS bigint LANGUAGE sql AS $$
    WITH said AS (
        SELECT * FROM unnest(p_ids, p_types, p_data) AS s (public_id, type, data)
    ), heard AS (
        SELECT s.public_id, e.id AS endpoint_id
            FROM said s
            JOIN webhooks_endpoint e ON e.disabled_at IS NULL AND e.types @> ARRAY[s.type]::varchar[]
            LEFT JOIN accounts_apiclient c ON c.id = e.client_id
            LEFT JOIN accounts_user u ON u.id = e.user_id
            WHERE COALESCE(c.is_active, u.is_active AND u.is_master, true)
                AND (e.client_id = p_client OR c.game_id = p_game OR e.user_id = p_user
                    OR (p_platform AND e.client_id IS NULL AND e.user_id IS NULL))
    ), kept AS (
        INSERT INTO webhooks_event (public_id, type, data, occurred_at)
            SELECT s.public_id, s.type, s.data::jsonb, p_now FROM said s
            WHERE EXISTS (SELECT 1 FROM heard h WHERE h.public_id = s.public_id)
            RETURNING id, public_id
    ), owed AS (
        INSERT INTO webhooks_delivery (event_id, endpoint_id, state, attempts, next_attempt_at, last_error, created_at)
            SELECT k.id, h.endpoint_id, 'pending', 0, p_now, '', p_now FROM kept k JOIN heard h USING (public_id)
            ORDER BY k.id, h.endpoint_id
            RETURNING 1
    )
    SELECT count(*) FROM owed
$$;
