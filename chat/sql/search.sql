-- The words of a message for full-text search: 'simple' (no language is assumed, no word is left out) after unaccent, so
-- that "ván đấu" is found by "van dau" and the other way round. NFC first: a letter typed as base and marks is one letter.
CREATE OR REPLACE FUNCTION chat_search_vector(p_text text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('public.chat_text'::regconfig, normalize(p_text, NFC))
$$;
