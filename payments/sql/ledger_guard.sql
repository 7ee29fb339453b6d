-- Transfers are facts: no bug, shell or administrator changes or removes one.
-- Needs: core/row_is_immutable
CREATE OR REPLACE TRIGGER transfer_no_update_delete BEFORE UPDATE OR DELETE ON payments_transfer
    FOR EACH ROW EXECUTE FUNCTION row_is_immutable('The ledger is append-only: post a correcting transfer.');
CREATE OR REPLACE TRIGGER transfer_no_truncate BEFORE TRUNCATE ON payments_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION row_is_immutable('The ledger is append-only: post a correcting transfer.');
