-- The audit trail only grows: no shell, form or administrator changes or removes an entry.
-- Needs: core/row_is_immutable
CREATE OR REPLACE TRIGGER audit_entry_no_update_delete BEFORE UPDATE OR DELETE ON core_auditentry
    FOR EACH ROW EXECUTE FUNCTION row_is_immutable('The audit trail is append-only.');
CREATE OR REPLACE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON core_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION row_is_immutable('The audit trail is append-only.');

CREATE OR REPLACE TRIGGER audit_seal_no_update_delete BEFORE UPDATE OR DELETE ON core_auditseal
    FOR EACH ROW EXECUTE FUNCTION row_is_immutable('Seals are append-only.');
CREATE OR REPLACE TRIGGER audit_seal_no_truncate BEFORE TRUNCATE ON core_auditseal
    FOR EACH STATEMENT EXECUTE FUNCTION row_is_immutable('Seals are append-only.');
