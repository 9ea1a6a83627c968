-- What every store has beside the tables of its kinds. Run with the store's schema first in the search path.

-- The last number that was given, for kinds whose numbers people read.
CREATE TABLE number (
    organisation uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    last bigint NOT NULL,
    PRIMARY KEY (organisation, kind)
) WITH (fillfactor = 50);

-- The last number that was drawn from each series.
CREATE TABLE series (
    organisation uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    last bigint NOT NULL,
    PRIMARY KEY (organisation, name)
) WITH (fillfactor = 50);

-- One row for each batch that was committed: what it was answered, and the place of its events in the log. `seq` is
-- drawn when the batch is inserted; `position`, that of its last event, is given by the relay once the batch can be
-- seen.
CREATE TABLE batch (
    id uuid NOT NULL PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT now(),
    position bigint,
    events integer NOT NULL,
    event_organisations uuid[] NOT NULL,
    event_ids uuid[] NOT NULL,
    numbers bigint[] NOT NULL,
    versions bigint[] NOT NULL,
    counters bigint[] NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX batch_unplaced_idx ON batch (seq) WHERE position IS NULL AND events > 0;
CREATE UNIQUE INDEX batch_position_key ON batch (position) WHERE position IS NOT NULL;
CREATE INDEX batch_done_idx ON batch (at) WHERE events = 0;

-- Fails the statement that calls it, and with it the whole batch, unless what it expected is so.
CREATE FUNCTION expect(holds boolean, what text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF holds IS NOT TRUE THEN
        RAISE EXCEPTION USING ERRCODE = 'HD001', MESSAGE = what;
    END IF;
    RETURN true;
END
$$;
