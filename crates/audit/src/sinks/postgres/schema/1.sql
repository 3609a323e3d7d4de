-- Everything that happens, a row for each event, in a table for each day (UTC) of the events' own time.
CREATE TABLE portcullis.events (
    time timestamptz NOT NULL,
    client inet,
    event text COLLATE "C" NOT NULL,
    type text NOT NULL,
    id text,
    method text,
    host text,
    path text,
    route text,
    provider text,
    subject text,
    user_name text,
    auth text,
    acr text,
    session text,
    credential text,
    outcome text,
    rule text,
    missing text,
    reason text,
    why text,
    operator text,
    operation text,
    status bigint,
    bytes bigint,
    us bigint,
    -- The line as it was written, without its line feed: what is chained. The columns above are read from it.
    line text NOT NULL,
    -- Where it stands in the chain.
    writer text COLLATE "C" NOT NULL,
    block bigint NOT NULL,
    n smallint NOT NULL,
    PRIMARY KEY (event, time)
) PARTITION BY RANGE (time);

CREATE INDEX events_time ON portcullis.events (time);
CREATE INDEX events_user ON portcullis.events (user_name, time) WHERE user_name IS NOT NULL;
CREATE INDEX events_request ON portcullis.events (id) WHERE id IS NOT NULL;
CREATE INDEX events_chain ON portcullis.events (writer, block, n);

-- The chains: a block for each batch, with what stands before and behind its lines.
CREATE TABLE portcullis.blocks (
    day date NOT NULL,
    writer text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    opening text,
    footer text NOT NULL,
    written timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (writer, number, day)
) PARTITION BY RANGE (day);

-- A line as JSON that can be asked: NUL, which jsonb does not take, is U+FFFD.
CREATE FUNCTION portcullis.fields(line text) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT replace(line, '\u0000', '\ufffd')::jsonb $$;

-- Makes the tables of a day; whether they were missing. They are filled by whoever may write, and belong to whoever made all.
CREATE FUNCTION portcullis.make_day(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := to_char(day, 'YYYYMMDD');
    zone text := ' 00:00:00+00';
BEGIN
    IF to_regclass('portcullis.blocks_' || name) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(5787213827046133841);
    -- Read from the table: what `to_regclass` has looked for once it may remember.
    PERFORM FROM pg_class WHERE relname = 'blocks_' || name AND relnamespace = 'portcullis'::regnamespace;
    IF FOUND THEN
        RETURN false;
    END IF;
    -- Made apart and then added: to add one waits for nobody who reads or writes.
    EXECUTE format('CREATE TABLE portcullis.events_%s (LIKE portcullis.events INCLUDING ALL)', name);
    EXECUTE format(
        'ALTER TABLE portcullis.events ATTACH PARTITION portcullis.events_%s FOR VALUES FROM (%L) TO (%L)',
        name, day::text || zone, (day + 1)::text || zone);
    EXECUTE format('CREATE TABLE portcullis.blocks_%s (LIKE portcullis.blocks INCLUDING ALL)', name);
    EXECUTE format(
        'ALTER TABLE portcullis.blocks ATTACH PARTITION portcullis.blocks_%s FOR VALUES FROM (%L) TO (%L)',
        name, day, day + 1);
    RETURN true;
END
$$;

-- Removes the tables of all days before this one; tells of each how many bytes it had, and the last of its writers.
CREATE FUNCTION portcullis.drop_days(before date) RETURNS TABLE (day text, bytes bigint, last_writer text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(5787213827046133841);
    FOR day IN
        SELECT substr(c.relname, 8)
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'portcullis.blocks'::regclass
            AND c.relname ~ '^blocks_[0-9]{8}$' AND c.relname < 'blocks_' || to_char(before, 'YYYYMMDD')
        ORDER BY 1
    LOOP
        bytes := pg_total_relation_size(format('portcullis.events_%s', day)::regclass)
            + pg_total_relation_size(format('portcullis.blocks_%s', day)::regclass);
        EXECUTE format('SELECT max(writer) FROM portcullis.blocks_%s', day) INTO last_writer;
        EXECUTE format('DROP TABLE portcullis.events_%s, portcullis.blocks_%s', day, day);
        RETURN NEXT;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION portcullis.make_day(date), portcullis.drop_days(date) FROM PUBLIC;
