-- Needs: core/row_is_immutable

-- transfer_fits: the closed list of codes, each with the kinds of account it moves units from and to.
CREATE OR REPLACE FUNCTION transfer_fits(p_code text, p_debit_kind text, p_credit_kind text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (p_code, p_debit_kind, p_credit_kind) IN (
        ('deposit', 'issuance', 'wallet'), ('withdrawal', 'wallet', 'issuance'),
        ('entry_fee', 'wallet', 'escrow'), ('refund', 'escrow', 'wallet'), ('prize', 'escrow', 'wallet'),
        ('pot_pay', 'wallet', 'escrow'), ('pot_earn', 'escrow', 'wallet'), ('pot_fee', 'escrow', 'house'),
        ('pot_close', 'escrow', 'wallet'))
$$;

-- One look for all rows of a statement: a batch of one and a batch of thousands both pay for one query.
CREATE OR REPLACE FUNCTION transfers_fit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_wrong text;
BEGIN
    SELECT format('%s from %s to %s', t.code, d.kind, c.kind) INTO v_wrong FROM booked t
        JOIN payments_account d ON d.id = t.debit_account_id JOIN payments_account c ON c.id = t.credit_account_id
        WHERE NOT transfer_fits(t.code, d.kind, c.kind) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'payments_transfer: % is not on the list of transfers', v_wrong
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER transfers_fit AFTER INSERT ON payments_transfer REFERENCING NEW TABLE AS booked
    FOR EACH STATEMENT EXECUTE FUNCTION transfers_fit();

-- An account is its holder's for life: whoever could change that would have the balance.
CREATE OR REPLACE TRIGGER account_keeps_holder BEFORE UPDATE OF kind, owner_id, escrow_id, token_id ON payments_account
    FOR EACH ROW WHEN ((OLD.kind, OLD.owner_id, OLD.escrow_id, OLD.token_id)
        IS DISTINCT FROM (NEW.kind, NEW.owner_id, NEW.escrow_id, NEW.token_id))
    EXECUTE FUNCTION row_is_immutable('An account keeps its holder.');
