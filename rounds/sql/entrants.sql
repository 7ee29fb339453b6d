-- Entering and leaving a session's contest, as parts of rooms' own one-call functions. The caller holds the session's
-- row lock, so the contest's row is locked by one of them at a time.

-- The player's profile in a game, made when there is none: under the platform's name, or with a suffix where somebody
-- who signed up with a game client has that name.
CREATE OR REPLACE FUNCTION game_user_of(p_game bigint, p_user bigint, p_now timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint;
    v_name text;
    v_suffix text := '';
BEGIN
    LOOP
        SELECT g.id INTO v_id FROM accounts_gameuser g WHERE g.game_id = p_game AND g.user_id = p_user;
        IF v_id IS NOT NULL THEN
            RETURN v_id;
        END IF;
        IF v_name IS NULL THEN
            SELECT u.username INTO STRICT v_name FROM accounts_user u WHERE u.id = p_user;
        END IF;
        INSERT INTO accounts_gameuser (game_id, user_id, username, created_at)
            VALUES (p_game, p_user, v_name || v_suffix, p_now)
            ON CONFLICT DO NOTHING RETURNING id INTO v_id;
        IF v_id IS NOT NULL THEN
            RETURN v_id;
        END IF;
        -- The name is taken, or this very profile was made meanwhile: look again, else with another name.
        v_suffix := '#' || substr(md5(random()::text), 1, 6);
    END LOOP;
END $$;

-- The player's authoritative round in a session's contest; safe to repeat. Raises when there is no such open contest.
CREATE OR REPLACE FUNCTION contest_add_entrant(
    p_contest bigint, p_user bigint, p_now timestamptz, OUT game_user_id bigint, OUT round_id bigint
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    c rounds_contest;
BEGIN
    SELECT * INTO c FROM rounds_contest
        WHERE id = p_contest AND controller = 'session' AND frozen_at IS NULL;
    IF c.id IS NULL THEN
        RAISE EXCEPTION 'contest % is not the open contest of a session', p_contest;
    END IF;
    game_user_id := game_user_of(c.game_id, p_user, p_now);
    INSERT INTO rounds_round (game_id, game_user_id, contest_id, authoritative, game_type, start_time, standing,
            submitted_at, created_at, updated_at)
        VALUES (c.game_id, contest_add_entrant.game_user_id, c.id, true, 'session', c.opens_at, 1e21, p_now, p_now, p_now)
        ON CONFLICT (contest_id, game_user_id) WHERE authoritative DO NOTHING
        RETURNING id INTO round_id;
    IF round_id IS NOT NULL THEN
        UPDATE rounds_contest SET rounds_count = rounds_count + 1 WHERE id = c.id;
        RETURN;
    END IF;
    SELECT r.id INTO round_id FROM rounds_round r
        WHERE r.contest_id = c.id AND r.game_user_id = contest_add_entrant.game_user_id AND r.authoritative;
END $$;

-- Takes the player's round out of a session's contest again; safe to repeat, and nothing once the contest is frozen.
CREATE OR REPLACE FUNCTION contest_remove_entrant(p_contest bigint, p_user bigint, OUT removed boolean)
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM rounds_round r USING accounts_gameuser g, rounds_contest c
        WHERE r.contest_id = p_contest AND r.authoritative AND g.id = r.game_user_id AND g.user_id = p_user
            AND c.id = r.contest_id AND c.frozen_at IS NULL;
    removed := FOUND;
    UPDATE rounds_contest SET rounds_count = rounds_count - 1 WHERE id = p_contest AND removed;
END $$;
