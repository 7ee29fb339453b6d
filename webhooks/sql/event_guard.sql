-- An event can be pruned, never changed.
-- Needs: core/row_is_immutable
CREATE OR REPLACE TRIGGER webhook_event_no_update BEFORE UPDATE ON webhooks_event
    FOR EACH ROW EXECUTE FUNCTION row_is_immutable('Events are pruned, never changed.');
