-- row_is_immutable: trigger function of rows that are facts. It refuses whatever the trigger names, with the trigger's hint.
CREATE OR REPLACE FUNCTION row_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Test suites empty their throw-away databases between tests; a real database never has this setting.
    IF TG_OP = 'TRUNCATE' AND current_setting('gameplatform.allow_truncate', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '%: % refused.', TG_TABLE_NAME, TG_OP USING HINT = TG_ARGV[0];
END $$;
