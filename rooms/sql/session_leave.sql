-- session_leave: give a place back while the session is pending; the fee returns in full (contract: rooms,
-- "leave"). Locks as session_join. result: 'left', 'replayed' (this player's latest place was already given back under
-- the same request key), or the rule that refuses; then nothing was done.
-- Needs: payments/ledger_post, rooms/room_event, rooms/session_subject, rounds/entrants
CREATE OR REPLACE FUNCTION session_leave(
    p_session bigint, p_user bigint, p_request_key text, p_batch uuid, p_now timestamptz,
    OUT result text, OUT participant_id bigint, OUT room_id bigint, OUT tx_hash text, OUT participants_count int, OUT seq bigint,
    OUT payload jsonb, OUT subject jsonb, OUT conversation_id uuid
) LANGUAGE plpgsql AS $$
DECLARE
    s rooms_session;
    p rooms_participant;
    v_username text;
    v_wallet bigint;
    v_escrow bigint;
    v_key text;
BEGIN
    SELECT * INTO s FROM rooms_session WHERE id = p_session FOR NO KEY UPDATE;
    IF s.id IS NULL THEN
        result := 'session_not_found';
        RETURN;
    END IF;
    room_id := s.room_id;
    participants_count := s.participants_count;
    SELECT * INTO p FROM rooms_participant x WHERE x.session_id = p_session AND x.user_id = p_user
        ORDER BY x.id DESC LIMIT 1;
    participant_id := p.id;
    IF p.id IS NULL THEN
        result := 'not_joined';
        RETURN;
    END IF;
    IF p.status <> 'paid' THEN
        tx_hash := p.refund_tx_hash;
        result := CASE WHEN p.status = 'left' AND p.leave_request_key = p_request_key THEN 'replayed' ELSE 'not_joined' END;
        RETURN;
    END IF;
    IF s.status <> 'pending' OR p_now >= s.starts_at THEN
        result := 'window_closed';
        RETURN;
    END IF;

    SELECT username INTO v_username FROM accounts_user WHERE id = p_user;
    SELECT id INTO v_wallet FROM payments_account WHERE kind = 'wallet' AND owner_id = p_user AND token_id = s.token_id;
    SELECT id INTO v_escrow FROM payments_account WHERE escrow_id = s.escrow_id AND token_id = s.token_id;
    v_key := 'session:' || s.id || ':refund:' || p.id;
    SELECT l.result INTO result FROM ledger_post(ARRAY[v_escrow], ARRAY[v_wallet], ARRAY[p.amount_minor],
        ARRAY['refund'], ARRAY['session:' || s.id], ARRAY[v_key], p_batch, p_now) l;
    IF result = 'token_frozen' THEN
        RETURN;
    ELSIF result <> 'posted' THEN
        RAISE EXCEPTION 'session_leave: session % cannot refund participant %: %', s.id, p.id, result;
    END IF;
    SELECT t.tx_hash INTO tx_hash FROM payments_transfer t WHERE t.idempotency_key = v_key;

    UPDATE rooms_participant SET status = 'left', closed_at = p_now, refund_tx_hash = tx_hash,
        leave_request_key = p_request_key WHERE id = p.id;
    IF s.contest_id IS NOT NULL THEN
        PERFORM contest_remove_entrant(s.contest_id, p_user);
    END IF;
    participants_count := s.participants_count - 1;
    UPDATE rooms_session SET participants_count = s.participants_count - 1 WHERE id = s.id;
    payload := jsonb_build_object('participant_id', p.id, 'user_id', p_user, 'username', v_username,
        'participants_count', participants_count);
    seq := room_event(s.room_id, s.id, 'participant.left', payload, p_now);
    SELECT x.subject, x.conversation_id INTO subject, conversation_id FROM session_subject(s.id) x;
    -- A membership that is being settled now is waited for, and removed after that like any other.
    DELETE FROM rooms_membershipowed m WHERE m.participant_id = p.id;
    result := 'left';
END $$;
