-- chat_post_message: one message, in one round trip (contract: chat, "Messages").
--
-- Locks the conversation's row until the commit. That lock hands out seq (1, 2, 3 … without gaps: a number is taken in the
-- transaction that inserts its message), makes the order of commits the order of seq, and stands between a message and a
-- deactivation, a kick or a ban that happens at the same time.
--
-- Who is asking: p_client, a tenant's own id; or p_account, a user of the platform, found by its membership; or neither,
-- the platform itself (system messages), which needs no membership. result: 'posted', 'replayed' (the same client_msg_id
-- of the same sender again), or the first rule that says no; then nothing was done.
CREATE OR REPLACE FUNCTION chat_post_message(
    p_conversation uuid, p_client bigint, p_account bigint, p_sender_id text, p_sender_name text, p_id uuid,
    p_content text, p_message_type text, p_meta jsonb, p_client_msg_id text, p_now timestamptz,
    OUT result text, OUT message_id uuid, OUT seq bigint, OUT sender_name text, OUT posted_at timestamptz,
    OUT until timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    c chat_conversation;
    v_is_system boolean := p_client IS NULL AND p_account IS NULL;
    v_thread text;
    v_reply text := p_meta ->> 'reply_to';
BEGIN
    SELECT * INTO c FROM chat_conversation r WHERE r.id = p_conversation
            AND (v_is_system OR r.client_id = p_client OR (p_account IS NOT NULL AND EXISTS (
                SELECT 1 FROM chat_member m WHERE m.conversation_id = r.id AND m.account_id = p_account)))
        FOR NO KEY UPDATE;
    IF c.id IS NULL THEN
        result := 'room_not_found';
        RETURN;
    END IF;

    IF p_client_msg_id IS NOT NULL THEN
        SELECT m.id, m.seq INTO message_id, seq FROM chat_message m WHERE m.conversation_id = c.id
            AND m.sender_id = p_sender_id AND m.client_msg_id = p_client_msg_id;
        IF message_id IS NOT NULL THEN
            result := 'replayed';
            RETURN;
        END IF;
    END IF;

    IF NOT c.is_active THEN
        result := 'inactive';
        RETURN;
    END IF;

    sender_name := p_sender_name;
    IF NOT v_is_system THEN
        -- Read under the lock, by a statement of its own: a kick that committed while we waited is seen.
        SELECT COALESCE(p_sender_name, m.user_name) INTO sender_name FROM chat_member m
            WHERE m.conversation_id = c.id AND m.user_id = p_sender_id;
        IF NOT FOUND THEN
            result := 'not_a_member';
            RETURN;
        END IF;
        SELECT s.expires_at INTO until FROM chat_sanction s WHERE s.conversation_id = c.id AND s.user_id = p_sender_id
            AND s.kind = 'mute' AND s.lifted_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > p_now);
        IF FOUND THEN
            result := 'muted';
            RETURN;
        END IF;
    END IF;

    IF jsonb_typeof(p_meta -> 'thread_id') = 'string' AND length(p_meta ->> 'thread_id') BETWEEN 1 AND 128 THEN
        v_thread := p_meta ->> 'thread_id';
    ELSIF v_reply ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        SELECT COALESCE(m.thread_key, m.id::text) INTO v_thread FROM chat_message m
            WHERE m.id = v_reply::uuid AND m.conversation_id = c.id;
    END IF;

    posted_at := GREATEST(p_now, c.last_message_at);
    UPDATE chat_conversation r SET last_seq = r.last_seq + 1, message_count = r.message_count + 1,
            last_message_at = posted_at
        WHERE r.id = c.id RETURNING r.last_seq INTO seq;
    INSERT INTO chat_message (id, conversation_id, client_key, seq, sender_id, sender_name, content, message_type, meta,
            client_msg_id, thread_key, created_at, updated_at, is_deleted)
        VALUES (p_id, c.id, COALESCE(c.client_id, 0), seq, p_sender_id, sender_name, p_content, p_message_type, p_meta,
            p_client_msg_id, v_thread, posted_at, posted_at, false);
    message_id := p_id;
    result := 'posted';
END $$;
