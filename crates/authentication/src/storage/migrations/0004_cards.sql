-- What is known of a sign-in without its cookie: a card, sealed under the gateway's key, and the digests that it is
-- found by, which are keyed from now on. Rows of before have neither until they are used again.
ALTER TABLE session_families ADD COLUMN user BLOB CHECK (length(user) = 32);
ALTER TABLE session_families ADD COLUMN card BLOB;
-- How often the record was replaced: what was made from an older one does not replace a newer one.
ALTER TABLE session_families ADD COLUMN version INTEGER NOT NULL DEFAULT 0;

CREATE INDEX session_families_user ON session_families (user) WHERE user IS NOT NULL;

-- For whoever ends all sessions of a provider or of a host: without these each step would read everything.
CREATE INDEX session_families_provider ON session_families (provider, root);
CREATE INDEX sessions_host ON sessions (host, root);

-- Subjects and sessions of providers that have been ended: sign-ins that began before make no session.
CREATE TABLE remembered_ends (
    digest BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    since  INTEGER NOT NULL,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX remembered_ends_until ON remembered_ends (until);
