-- Words as they are, without accents: the configuration behind chat_search_vector.
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_ts_config WHERE cfgname = 'chat_text' AND cfgnamespace = 'public'::regnamespace) THEN
        CREATE TEXT SEARCH CONFIGURATION public.chat_text (COPY = pg_catalog.simple);
    END IF;
END $$;
ALTER TEXT SEARCH CONFIGURATION public.chat_text
    ALTER MAPPING FOR hword, hword_part, word WITH unaccent, simple;
