"""What every domain stands on: the clock, evidence, and what is to be done once."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0001"
VERSION = "1.38.0"
DESCRIPTION = "clock, evidence, effects"

SQL = """
GRANT USAGE ON SCHEMA public TO ebranch_app;

-- The clock. Only the owner may move it; a session setting could be moved by the application itself.
CREATE TABLE clock (
    one_row boolean PRIMARY KEY DEFAULT true CONSTRAINT clock_one_row CHECK (one_row),
    offset_s double precision NOT NULL
);
INSERT INTO clock VALUES (true, 0);
GRANT SELECT ON clock TO ebranch_app;

CREATE FUNCTION ebranch_now() RETURNS timestamptz LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS
$$ SELECT statement_timestamp() + make_interval(secs => (SELECT offset_s FROM public.clock)) $$;

-- The same for guards: it runs on while a statement or a transaction stands still.
CREATE FUNCTION ebranch_clock() RETURNS timestamptz LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS
$$ SELECT clock_timestamp() + make_interval(secs => (SELECT offset_s FROM public.clock)) $$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

-- Evidence: the row stands in the same transaction as the change; the worker seals rows into chains.
CREATE TABLE audit_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    chain text NOT NULL,
    account_id bigint,
    person_name text NOT NULL,
    role text NOT NULL,
    organisation_id bigint,
    verb text NOT NULL,
    subject_kind text NOT NULL,
    subject_id bigint NOT NULL,
    before jsonb,
    after jsonb,
    why text,
    source text NOT NULL
);
CREATE INDEX audit_event_subject ON audit_event (subject_kind, subject_id, id);
CREATE TABLE audit_seal (
    chain text NOT NULL,
    number bigint NOT NULL,
    event_id bigint NOT NULL CONSTRAINT audit_seal_once UNIQUE
        CONSTRAINT audit_seal_event REFERENCES audit_event ON DELETE RESTRICT,
    digest bytea NOT NULL CONSTRAINT audit_seal_sha256 CHECK (length(digest) = 32),
    PRIMARY KEY (chain, number)
);
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT ON audit_event TO ebranch_app;
GRANT INSERT (chain, account_id, person_name, role, organisation_id, verb, subject_kind, subject_id, before, after,
              why, source) ON audit_event TO ebranch_app; -- not its number and not its time
GRANT SELECT, INSERT ON audit_seal TO ebranch_app;

-- Things to do once. The database holds every due effect; arq only wakes the sweep.
CREATE TABLE effect (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text COLLATE "C" NOT NULL CONSTRAINT effect_once UNIQUE,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    due_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'waiting'
        CONSTRAINT effect_state CHECK (state IN ('waiting', 'done', 'cancelled', 'failed')),
    tries int NOT NULL DEFAULT 0,
    fault text,
    done_at timestamptz
);
CREATE INDEX effect_due ON effect (due_at, id) WHERE state = 'waiting';
GRANT SELECT, INSERT, UPDATE ON effect TO ebranch_app;

-- Guesses at codes and passwords, exact across processes.
CREATE TABLE guess (
    key text PRIMARY KEY,
    failures int NOT NULL,
    since timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON guess TO ebranch_app;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
