-- A family is one sign-in: the root session and the app sessions that hang on it.
-- Columns beside `record` and `family_key` only find and expire rows; what counts is sealed.
CREATE TABLE session_families (
    root             BLOB    NOT NULL PRIMARY KEY CHECK (length(root) = 32),
    provider         TEXT    NOT NULL,
    subject          BLOB    NOT NULL CHECK (length(subject) = 32),
    provider_session BLOB    CHECK (length(provider_session) = 32),
    created          INTEGER NOT NULL,
    last_seen        INTEGER NOT NULL,
    expires          INTEGER NOT NULL,
    record           BLOB    NOT NULL
) STRICT;

CREATE INDEX session_families_subject ON session_families (subject);
CREATE INDEX session_families_provider_session ON session_families (provider_session)
    WHERE provider_session IS NOT NULL;
CREATE INDEX session_families_last_seen ON session_families (last_seen);
CREATE INDEX session_families_expires ON session_families (expires);

CREATE TABLE sessions (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    root       BLOB    NOT NULL REFERENCES session_families (root) ON DELETE CASCADE,
    host       TEXT    NOT NULL,
    created    INTEGER NOT NULL,
    family_key BLOB    NOT NULL
) STRICT;

CREATE INDEX sessions_root ON sessions (root);
