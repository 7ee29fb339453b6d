-- session_join: one player's paid entry, in one round trip (contract: rooms, "join").
--
-- Locks the session, then (ledger_post) the accounts by id. result: 'joined', 'replayed' (the same request key again),
-- or the first rule that refuses; then nothing was done. p_now decides the window, whether the tick has run or not.
-- payload is the event's, subject what is told with it (rooms.outgoing). With a conversation_id the player's membership of
-- it is owed: rooms_membershipowed, settled by membership_settle after the commit.
-- Needs: payments/ledger_post, rooms/room_event, rooms/session_subject, rounds/entrants
CREATE OR REPLACE FUNCTION session_join(
    p_room bigint, p_session bigint, p_user bigint, p_amount bigint, p_request_key text, p_public_id uuid, p_batch uuid,
    p_now timestamptz,
    OUT result text, OUT participant_id bigint, OUT public_id uuid, OUT joined_at timestamptz, OUT amount_minor bigint,
    OUT wallet_address text, OUT tx_hash text, OUT participants_count int, OUT seq bigint,
    OUT payload jsonb, OUT subject jsonb, OUT conversation_id uuid
) LANGUAGE plpgsql AS $$
DECLARE
    s rooms_session;
    v_username text;
    v_wallet bigint;
    v_escrow bigint;
    v_key text;
BEGIN
    SELECT * INTO s FROM rooms_session WHERE id = p_session FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT 1 FROM rooms_room WHERE id = p_room AND status <> 'deleted') THEN
        result := 'room_not_found';
        RETURN;
    END IF;
    IF s.id IS NULL OR s.room_id <> p_room THEN
        result := 'session_not_found';
        RETURN;
    END IF;

    SELECT p.id, p.public_id, p.joined_at, p.amount_minor, p.wallet_address, p.entry_tx_hash,
            CASE WHEN p.request_key = p_request_key THEN 'replayed' ELSE 'already_joined' END
        INTO participant_id, public_id, joined_at, amount_minor, wallet_address, tx_hash, result
        FROM rooms_participant p WHERE p.session_id = p_session AND p.user_id = p_user AND p.status = 'paid';
    IF result IS NOT NULL THEN
        participants_count := s.participants_count;
        RETURN;
    END IF;

    amount_minor := s.entry_fee_minor;
    result := CASE
        WHEN p_now < s.opens_at THEN 'not_started'
        WHEN s.status <> 'pending' OR p_now >= s.starts_at THEN 'window_closed'
        WHEN s.participants_count >= s.max_participants THEN 'full'
        WHEN p_amount <> s.entry_fee_minor THEN 'wrong_amount'
    END;
    IF result IS NOT NULL THEN
        RETURN;
    END IF;

    SELECT u.wallet_address, u.username INTO wallet_address, v_username FROM accounts_user u WHERE u.id = p_user;
    IF wallet_address IS NULL THEN
        result := 'wallet_not_connected';
        RETURN;
    END IF;
    SELECT id INTO v_wallet FROM payments_account WHERE kind = 'wallet' AND owner_id = p_user AND token_id = s.token_id;
    IF v_wallet IS NULL THEN
        result := 'insufficient_funds';
        RETURN;
    END IF;
    SELECT id INTO v_escrow FROM payments_account WHERE escrow_id = s.escrow_id AND token_id = s.token_id;

    participant_id := nextval(pg_get_serial_sequence('rooms_participant', 'id'));
    v_key := 'session:' || s.id || ':entry:' || participant_id;
    SELECT l.result INTO result FROM ledger_post(ARRAY[v_wallet], ARRAY[v_escrow], ARRAY[s.entry_fee_minor],
        ARRAY['entry_fee'], ARRAY['session:' || s.id], ARRAY[v_key], p_batch, p_now) l;
    IF result <> 'posted' THEN
        RETURN;
    END IF;
    SELECT t.tx_hash INTO tx_hash FROM payments_transfer t WHERE t.idempotency_key = v_key;

    INSERT INTO rooms_participant (id, public_id, session_id, room_id, user_id, status, amount_minor, wallet_address,
            request_key, joined_at, entry_tx_hash)
        VALUES (participant_id, p_public_id, s.id, s.room_id, p_user, 'paid', s.entry_fee_minor, wallet_address,
            p_request_key, p_now, tx_hash);
    IF s.contest_id IS NOT NULL THEN
        PERFORM contest_add_entrant(s.contest_id, p_user, p_now);
    END IF;
    participants_count := s.participants_count + 1;
    UPDATE rooms_session SET participants_count = s.participants_count + 1 WHERE id = s.id;
    payload := jsonb_build_object('participant_id', participant_id, 'user_id', p_user, 'username', v_username,
        'participants_count', participants_count);
    seq := room_event(s.room_id, s.id, 'participant.joined', payload, p_now);
    SELECT x.subject, x.conversation_id INTO subject, conversation_id FROM session_subject(s.id) x;
    IF conversation_id IS NOT NULL THEN
        INSERT INTO rooms_membershipowed (participant_id, owed_since) VALUES (participant_id, p_now);
    END IF;
    public_id := p_public_id;
    joined_at := p_now;
    result := 'joined';
END $$;
