-- The audit trail only grows: no shell, form or administrator changes or removes an entry.

CREATE OR REPLACE FUNCTION audit_entry_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Test suites empty their throw-away databases between tests; a real database never has this setting.
    IF TG_OP = 'TRUNCATE' AND current_setting('gameplatform.allow_truncate', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'core_auditentry is append-only: % refused.', TG_OP;
END $$;

CREATE OR REPLACE TRIGGER audit_entry_no_update_delete BEFORE UPDATE OR DELETE ON core_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_is_immutable();
CREATE OR REPLACE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON core_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_immutable();
