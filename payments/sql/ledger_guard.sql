-- What a bug, a shell or a curious administrator cannot do to the books: change or remove a transfer, or book one
-- between accounts of different tokens. Balances may change only with FOR NO KEY UPDATE locks held (payments.ledger).

-- For tables whose rows are facts: this trigger function refuses whatever is not an INSERT.
CREATE OR REPLACE FUNCTION row_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Test suites empty their throw-away databases between tests; a real database never has this setting.
    IF TG_OP = 'TRUNCATE' AND current_setting('gameplatform.allow_truncate', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused. %', TG_TABLE_NAME, TG_OP, TG_ARGV[0];
END $$;

CREATE OR REPLACE TRIGGER transfer_no_update_delete BEFORE UPDATE OR DELETE ON payments_transfer
    FOR EACH ROW EXECUTE FUNCTION row_is_immutable('Post a correcting transfer instead.');
CREATE OR REPLACE TRIGGER transfer_no_truncate BEFORE TRUNCATE ON payments_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION row_is_immutable('Post a correcting transfer instead.');
DROP FUNCTION IF EXISTS transfer_is_immutable();

ALTER TABLE payments_transfer DROP CONSTRAINT IF EXISTS transfer_debit_account_same_token;
ALTER TABLE payments_transfer ADD CONSTRAINT transfer_debit_account_same_token
    FOREIGN KEY (debit_account_id, token_id) REFERENCES payments_account (id, token_id);
ALTER TABLE payments_transfer DROP CONSTRAINT IF EXISTS transfer_credit_account_same_token;
ALTER TABLE payments_transfer ADD CONSTRAINT transfer_credit_account_same_token
    FOREIGN KEY (credit_account_id, token_id) REFERENCES payments_account (id, token_id);

-- Balances change often and are never indexed: room in the page keeps those updates HOT, early vacuum keeps them short.
ALTER TABLE payments_account SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
