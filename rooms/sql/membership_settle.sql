-- membership_settle: make a participant a member of its room's conversation, if that is owed. members_count is NULL when
-- nothing was owed, or the chat refuses (banned, closed, a member already): a game does not fail because of its chat.
-- Needs: chat/members
CREATE OR REPLACE FUNCTION membership_settle(
    p_participant bigint, p_now timestamptz,
    OUT conversation_id uuid, OUT user_id bigint, OUT user_name text, OUT members_count int
) LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM rooms_membershipowed m WHERE m.participant_id = p_participant;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- No money moves here. A crash that loses this commit loses the deletion too: the membership is owed again.
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT r.conversation_id, u.id, u.username INTO conversation_id, user_id, user_name
        FROM rooms_participant p JOIN rooms_room r ON r.id = p.room_id JOIN accounts_user u ON u.id = p.user_id
        WHERE p.id = p_participant AND p.status <> 'left';
    SELECT m.participant_count INTO members_count
        FROM chat_add_member(conversation_id, NULL, user_id, user_id::text, user_name, '{}', p_now) m
        WHERE m.result = 'added';
END $$;
