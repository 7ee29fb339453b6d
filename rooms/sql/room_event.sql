-- room_event: number and keep one event of a room; returns its seq. The room row's lock makes the numbers gapless.
CREATE OR REPLACE FUNCTION room_event(
    p_room bigint, p_session bigint, p_type text, p_payload jsonb, p_now timestamptz
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_seq bigint;
BEGIN
    UPDATE rooms_room SET event_seq = event_seq + 1 WHERE id = p_room RETURNING event_seq INTO v_seq;
    INSERT INTO rooms_roomevent (room_id, seq, session_id, type, payload, created_at)
        VALUES (p_room, v_seq, p_session, p_type, p_payload, p_now);
    RETURN v_seq;
END $$;
