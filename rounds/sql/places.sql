-- Places of rounds, counted on reading along the index (contest, standing, submitted_at, id); see rounds/models.py.

-- How many rows of a contest are ahead of this one, and itself. The planner would rather read the whole table than half of
-- the index; but the index gives the answer without a look at any row, and at the top, where most look, at once.
CREATE OR REPLACE FUNCTION contest_rank(p_contest bigint, p_standing numeric, p_submitted_at timestamptz, p_id bigint)
RETURNS bigint LANGUAGE sql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    SELECT 1 + count(*) FROM rounds_round r
    WHERE r.contest_id = p_contest AND (r.standing, r.submitted_at, r.id) < (p_standing, p_submitted_at, p_id)
$$;

-- The effective place of one round: the one it keeps, else its rank, else null.
CREATE OR REPLACE FUNCTION round_place(
    p_id bigint, p_contest bigint, p_place int, p_score numeric, p_standing numeric, p_submitted_at timestamptz
) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN p_place IS NOT NULL THEN p_place::bigint
        WHEN p_contest IS NULL OR p_score IS NULL THEN NULL
        ELSE contest_rank(p_contest, p_standing, p_submitted_at, p_id)
    END
$$;

-- The first p_top rows of a contest's rankings, and p_around rows on either side of round p_round (contract: rounds,
-- "place"). Ordered by effective place, rows without one last, then by standing and submission; p_position counts from 1.
--
-- Where every place is computed, that order is the index's own: only the rows returned are read, and one count along
-- the index tells where p_round stands. A client that supplied places itself makes the order its own affair: then the
-- whole contest is sorted.
CREATE OR REPLACE FUNCTION contest_rankings(p_contest bigint, p_round bigint, p_top int, p_around int)
RETURNS TABLE (round_id bigint, place bigint, "position" bigint) LANGUAGE plpgsql STABLE ROWS 110 AS $$
DECLARE
    own rounds_round;
    v_own bigint;
BEGIN
    SELECT * INTO own FROM rounds_round r WHERE r.id = p_round AND r.contest_id = p_contest;

    IF EXISTS (SELECT 1 FROM rounds_round r WHERE r.contest_id = p_contest AND r.place IS NOT NULL) THEN
        RETURN QUERY
        WITH placed AS (
            SELECT r.id, r.standing, r.submitted_at,
                COALESCE(r.place::bigint, CASE WHEN r.score IS NOT NULL
                    THEN row_number() OVER (ORDER BY r.standing, r.submitted_at, r.id) END) AS effective
            FROM rounds_round r WHERE r.contest_id = p_contest
        ), ordered AS (
            SELECT p.id, p.effective,
                row_number() OVER (ORDER BY p.effective, p.standing, p.submitted_at, p.id) AS pos
            FROM placed p
        ), self AS (SELECT o.pos FROM ordered o WHERE o.id = p_round)
        SELECT o.id, o.effective, o.pos FROM ordered o LEFT JOIN self ON true
        WHERE o.pos <= p_top OR abs(o.pos - self.pos) <= p_around
        ORDER BY o.pos;
        RETURN;
    END IF;

    IF own.id IS NOT NULL THEN
        v_own := contest_rank(p_contest, own.standing, own.submitted_at, own.id);
    END IF;

    RETURN QUERY
    WITH top AS (
        SELECT r.id, r.score IS NOT NULL AS scored,
            row_number() OVER (ORDER BY r.standing, r.submitted_at, r.id) AS pos
        FROM rounds_round r WHERE r.contest_id = p_contest
        ORDER BY r.standing, r.submitted_at, r.id LIMIT p_top
    ), ahead AS (
        SELECT r.id, r.score IS NOT NULL AS scored,
            v_own - row_number() OVER (ORDER BY r.standing DESC, r.submitted_at DESC, r.id DESC) AS pos
        FROM rounds_round r
        WHERE r.contest_id = p_contest
            AND (r.standing, r.submitted_at, r.id) < (own.standing, own.submitted_at, own.id)
        ORDER BY r.standing DESC, r.submitted_at DESC, r.id DESC LIMIT p_around
    ), behind AS (
        SELECT r.id, r.score IS NOT NULL AS scored,
            v_own + row_number() OVER (ORDER BY r.standing, r.submitted_at, r.id) AS pos
        FROM rounds_round r
        WHERE r.contest_id = p_contest
            AND (r.standing, r.submitted_at, r.id) > (own.standing, own.submitted_at, own.id)
        ORDER BY r.standing, r.submitted_at, r.id LIMIT p_around
    ), chosen AS (
        SELECT * FROM top UNION SELECT * FROM ahead UNION SELECT * FROM behind
        UNION SELECT own.id, own.score IS NOT NULL, v_own WHERE own.id IS NOT NULL
    )
    SELECT c.id, CASE WHEN c.scored THEN c.pos END, c.pos FROM chosen c ORDER BY c.pos;
END $$;
