-- A pot holds a pot's escrow: a pot can never pay, earn from, end or close what a rooms session controls (contract: pots,
-- "Rooms"). An escrow keeps its controller for life.
-- Needs: core/row_is_immutable
CREATE OR REPLACE FUNCTION pot_has_pot_escrow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM payments_escrow WHERE id = NEW.escrow_id AND controller = 'pot') THEN
        RAISE EXCEPTION 'payments_pot: escrow % is not controlled by pots', NEW.escrow_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER pot_has_pot_escrow BEFORE INSERT OR UPDATE OF escrow_id ON payments_pot
    FOR EACH ROW EXECUTE FUNCTION pot_has_pot_escrow();

CREATE OR REPLACE TRIGGER escrow_keeps_controller BEFORE UPDATE OF controller ON payments_escrow
    FOR EACH ROW WHEN (OLD.controller IS DISTINCT FROM NEW.controller)
    EXECUTE FUNCTION row_is_immutable('The controller of an escrow is fixed.');
