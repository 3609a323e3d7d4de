-- Where the gateway tries, after a write has failed, whether the disk takes one again. Holds no row for long.
CREATE TABLE probe (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    filler BLOB    NOT NULL
) STRICT;

-- What a purge looks for besides `expires` and `last_seen`.
CREATE INDEX session_families_created ON session_families (created);
