-- Keys that the gateway made for itself: sealing of flow cookies, signing of assertions.
-- The file's mode protects them.
CREATE TABLE server_keys (
    purpose TEXT    NOT NULL PRIMARY KEY,
    created INTEGER NOT NULL,
    key     BLOB    NOT NULL
) STRICT;
