-- A pot holds a pot's escrow: what a rooms session controls can never be paid, earned from, ended or closed through a
-- pot (contract: payments, "Rooms"). And an escrow keeps its controller for life.
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

CREATE OR REPLACE FUNCTION escrow_keeps_controller() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'payments_escrow: the controller of escrow % is fixed', OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE OR REPLACE TRIGGER escrow_keeps_controller BEFORE UPDATE OF controller ON payments_escrow
    FOR EACH ROW WHEN (OLD.controller IS DISTINCT FROM NEW.controller) EXECUTE FUNCTION escrow_keeps_controller();

-- Pots, allowances and jobs are updated in place, in columns no index holds: room in the page keeps that cheap.
ALTER TABLE payments_pot SET (fillfactor = 80);
ALTER TABLE payments_allowance SET (fillfactor = 70);
ALTER TABLE payments_job SET (fillfactor = 80);
