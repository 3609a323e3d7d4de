-- Sessions that are bound to a key of their browser's device. The columns beside `record` only find and count them; what
-- counts is sealed. `version` says how many proofs have been accepted since.
CREATE TABLE session_bindings (
    session BLOB    NOT NULL PRIMARY KEY CHECK (length(session) = 32)
                    REFERENCES sessions (id) ON DELETE CASCADE,
    root    BLOB    NOT NULL CHECK (length(root) = 32),
    host    TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    version INTEGER NOT NULL DEFAULT 0,
    record  BLOB    NOT NULL
) STRICT;

CREATE INDEX session_bindings_root ON session_bindings (root);
