-- chat_add_member, chat_remove_member: one participant more or less, in one round trip each (contract: chat, "Rooms").
--
-- Both lock the conversation's row first: capacity, count and members agree at every commit, however many join at once.
-- p_client is the tenant that asks, NULL the platform itself (game rooms), which a tenant cannot reach and the other way
-- round.
CREATE OR REPLACE FUNCTION chat_add_member(
    p_conversation uuid, p_client bigint, p_account bigint, p_user_id text, p_user_name text, p_meta jsonb,
    p_now timestamptz,
    OUT result text, OUT participant_count int, OUT reason text, OUT until timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    c chat_conversation;
BEGIN
    SELECT * INTO c FROM chat_conversation r WHERE r.id = p_conversation AND r.client_id IS NOT DISTINCT FROM p_client
        FOR NO KEY UPDATE;
    IF c.id IS NULL THEN
        result := 'room_not_found';
        RETURN;
    END IF;
    participant_count := c.participant_count;
    IF EXISTS (SELECT 1 FROM chat_member m WHERE m.conversation_id = c.id AND m.user_id = p_user_id) THEN
        result := 'already_member';
        RETURN;
    END IF;
    IF NOT c.is_active THEN
        result := 'inactive';
        RETURN;
    END IF;
    SELECT s.reason, s.expires_at INTO reason, until FROM chat_sanction s WHERE s.conversation_id = c.id
        AND s.user_id = p_user_id AND s.kind = 'ban' AND s.lifted_at IS NULL
        AND (s.expires_at IS NULL OR s.expires_at > p_now);
    IF FOUND THEN
        result := 'banned';
        RETURN;
    END IF;
    -- A private room is entered by invitation of somebody inside, or with the role that the tenant gives.
    IF p_client IS NOT NULL AND (c.meta -> 'invite_only' = 'true' OR c.meta ->> 'type' = 'private')
            AND COALESCE(p_meta ->> 'role', '') = '' AND NOT EXISTS (
                SELECT 1 FROM chat_member m WHERE m.conversation_id = c.id AND m.user_id = p_meta ->> 'invited_by') THEN
        result := 'private';
        RETURN;
    END IF;
    IF c.participant_count >= (c.meta ->> 'max_participants')::int THEN
        result := 'full';
        RETURN;
    END IF;
    INSERT INTO chat_member (conversation_id, user_id, user_name, account_id, meta, joined_at)
        VALUES (c.id, p_user_id, p_user_name, p_account, p_meta, p_now);
    participant_count := c.participant_count + 1;
    UPDATE chat_conversation r SET participant_count = c.participant_count + 1 WHERE r.id = c.id;
    result := 'added';
END $$;

CREATE OR REPLACE FUNCTION chat_remove_member(
    p_conversation uuid, p_client bigint, p_user_id text, OUT result text, OUT participant_count int
) LANGUAGE plpgsql AS $$
DECLARE
    c chat_conversation;
BEGIN
    SELECT * INTO c FROM chat_conversation r WHERE r.id = p_conversation AND r.client_id IS NOT DISTINCT FROM p_client
        FOR NO KEY UPDATE;
    IF c.id IS NULL THEN
        result := 'room_not_found';
        RETURN;
    END IF;
    participant_count := c.participant_count;
    DELETE FROM chat_member m WHERE m.conversation_id = c.id AND m.user_id = p_user_id;
    IF NOT FOUND THEN
        result := 'not_a_member';
        RETURN;
    END IF;
    participant_count := c.participant_count - 1;
    UPDATE chat_conversation r SET participant_count = c.participant_count - 1 WHERE r.id = c.id;
    result := 'removed';
END $$;
