-- What signals of a provider's find sign-ins by, and what they ask of them.
ALTER TABLE session_families ADD COLUMN email BLOB CHECK (length(email) = 32);
-- The person has to sign in anew, later than this.
ALTER TABLE session_families ADD COLUMN step_up_since INTEGER;
-- How often the claims were said to have changed since they were last renewed.
ALTER TABLE session_families ADD COLUMN stale_claims INTEGER NOT NULL DEFAULT 0;

CREATE INDEX session_families_email ON session_families (email) WHERE email IS NOT NULL;
