-- Needs: core/row_is_immutable

-- ledger_seal_facts (the release before calls it): the contents of a seal over the transfers with ids from p_first to p_last.
-- digest: SHA-256 (lower-case hex) over 'gameplatform-seal-v1', the previous digest, first, last, count, and all
-- 'id:tx_hash' by id joined by ',', these parts joined by '|'. gaps: the id ranges, [first, last] each, of no transfer.
CREATE OR REPLACE FUNCTION ledger_seal_facts(
    p_previous text, p_first bigint, p_last bigint, OUT count int, OUT digest text, OUT gaps bigint[]
) LANGUAGE sql STABLE AS $$
    SELECT x.n, x.digest, coalesce(
            (SELECT array_agg(ARRAY[g.before + 1, g.id - 1] ORDER BY g.id) FROM (
                SELECT i.id, lag(i.id, 1, p_first - 1) OVER (ORDER BY i.id) AS before FROM (
                    SELECT t.id FROM payments_transfer t WHERE t.id BETWEEN p_first AND p_last
                    UNION ALL SELECT p_last + 1) i) g
                WHERE g.id > g.before + 1), '{}')
        FROM (SELECT count(*)::int AS n, encode(sha256(convert_to(concat_ws('|', 'gameplatform-seal-v1', p_previous,
                p_first, p_last, count(*), coalesce(string_agg(t.id || ':' || t.tx_hash, ',' ORDER BY t.id), '')),
                'UTF8')), 'hex') AS digest
            FROM payments_transfer t WHERE t.id BETWEEN p_first AND p_last) x
$$;

CREATE OR REPLACE TRIGGER seal_no_update_delete BEFORE UPDATE OR DELETE ON payments_ledgerseal
    FOR EACH ROW EXECUTE FUNCTION row_is_immutable('Seals are append-only.');
CREATE OR REPLACE TRIGGER seal_no_truncate BEFORE TRUNCATE ON payments_ledgerseal
    FOR EACH STATEMENT EXECUTE FUNCTION row_is_immutable('Seals are append-only.');

-- The release before seals without a key; while both run, it leaves the sealing to this one.
CREATE OR REPLACE TRIGGER seal_is_keyed BEFORE INSERT ON payments_ledgerseal
    FOR EACH ROW WHEN (NEW.version < 2) EXECUTE FUNCTION row_is_immutable('Seals are keyed.');
