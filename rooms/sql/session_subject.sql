-- session_subject: what is told with every event of a session (rooms.outgoing.Subject), and its room's conversation.
CREATE OR REPLACE FUNCTION session_subject(p_session bigint, OUT subject jsonb, OUT conversation_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('session_id', s.id, 'code', s.code, 'status', s.status, 'room_id', r.id,
            'room_name', r.name, 'game_id', r.game_id, 'owner_id', r.owner_id, 'token', k.symbol),
        r.conversation_id
        FROM rooms_session s JOIN rooms_room r ON r.id = s.room_id JOIN payments_token k ON k.id = s.token_id
        WHERE s.id = p_session
$$;
