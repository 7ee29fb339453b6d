-- What was told stays as it was told: an event can be pruned, never changed.
CREATE OR REPLACE FUNCTION webhook_event_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'webhooks_event rows are never changed.';
END $$;

CREATE OR REPLACE TRIGGER webhook_event_no_update BEFORE UPDATE ON webhooks_event
    FOR EACH ROW EXECUTE FUNCTION webhook_event_is_immutable();
