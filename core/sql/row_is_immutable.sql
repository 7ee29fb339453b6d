-- row_is_immutable: trigger function of rows that are facts. It refuses whatever the trigger names, with the trigger's hint.
CREATE OR REPLACE FUNCTION row_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % refused.', TG_TABLE_NAME, TG_OP USING HINT = TG_ARGV[0];
END $$;
