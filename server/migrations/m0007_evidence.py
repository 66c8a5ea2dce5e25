"""Evidence: whose duties it was, personal values as commitments, sealing by the database itself, signed checkpoints."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0007"
VERSION = "1.38.0"
DESCRIPTION = "evidence that can be shown, erased from lawfully, and checked from outside"

SQL = """
ALTER TABLE audit_event ADD COLUMN acting_for text; -- 代理: whose duties these were
GRANT INSERT (acting_for) ON audit_event TO ebranch_app;

-- What the auditor searches by, each in the order of the list.
CREATE INDEX audit_event_at ON audit_event (at, id);
CREATE INDEX audit_event_organisation ON audit_event (organisation_id, at, id);
CREATE INDEX audit_event_person ON audit_event (person_name, at, id);
CREATE INDEX audit_event_acting_for ON audit_event (acting_for, at, id) WHERE acting_for IS NOT NULL;
CREATE INDEX audit_event_verb ON audit_event (verb, at, id);

-- Personal values stand in the event as salted commitments, salt and value encrypted here: erased lawfully, they leave
-- the chain as it is. Only the owner rewrites one (key rotation) or erases it, and an erasure names its own evidence.
CREATE TABLE audit_value (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id bigint NOT NULL CONSTRAINT audit_value_event REFERENCES audit_event ON DELETE RESTRICT,
    commitment bytea NOT NULL CONSTRAINT audit_value_once UNIQUE
        CONSTRAINT audit_value_sha256 CHECK (length(commitment) = 32),
    value bytea,
    erased_by bigint CONSTRAINT audit_value_erased_by REFERENCES audit_event ON DELETE RESTRICT,
    CONSTRAINT audit_value_erased CHECK ((value IS NULL) = (erased_by IS NOT NULL))
);
CREATE INDEX audit_value_of ON audit_value (event_id);
CREATE FUNCTION audit_value_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (OLD.id, OLD.event_id, OLD.commitment) IS DISTINCT FROM (NEW.id, NEW.event_id, NEW.commitment)
            OR OLD.value IS NULL THEN
        RAISE EXCEPTION 'audit_value is append-only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.value IS NULL AND NOT EXISTS (
            SELECT FROM audit_event WHERE id = NEW.erased_by AND verb = 'erase_values' AND why <> '') THEN
        RAISE EXCEPTION 'a value is erased with a reason, as evidence' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_value_guard BEFORE UPDATE ON audit_value FOR EACH ROW EXECUTE FUNCTION audit_value_guard();
-- A value stands beside the event that is committed to it, and nothing else stands beside one.
CREATE FUNCTION audit_value_fits() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.value IS NULL OR NOT EXISTS (
            SELECT FROM audit_event e WHERE e.id = NEW.event_id
            AND strpos(concat(e.before, e.after), encode(NEW.commitment, 'hex')) > 0) THEN
        RAISE EXCEPTION 'a value stands beside an event that is committed to it'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_value_fits BEFORE INSERT ON audit_value FOR EACH ROW EXECUTE FUNCTION audit_value_fits();
CREATE TRIGGER audit_value_append_only BEFORE DELETE OR TRUNCATE ON audit_value
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT (id, event_id, commitment, value) ON audit_value TO ebranch_app;
GRANT USAGE ON SEQUENCE audit_value_id_seq TO ebranch_app;

-- Sealing is the database's own: the application's role can ask for it, and put nothing of its own into a chain.
-- The spelling is server/core/audit.py's SPELLED; whose duties it was is spelled where it was somebody's, so that what
-- was sealed before is spelled as it was.
-- Without settings of its own it is spelled within the statement that asks: sealing is most of what evidence costs.
CREATE FUNCTION audit_spelled(e audit_event) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT '[' || concat_ws(',', e.id, to_json(e.chain), coalesce(e.account_id::text, 'null'), to_json(e.person_name),
        to_json(e.role), coalesce(e.organisation_id::text, 'null'), to_json(e.verb), to_json(e.subject_kind),
        e.subject_id, coalesce(to_json(e.before::text)::text, 'null'), coalesce(to_json(e.after::text)::text, 'null'),
        coalesce(to_json(e.why)::text, 'null'), to_json(e.source),
        CASE WHEN isfinite(e.at) THEN (extract(epoch FROM e.at) * 1000000)::bigint::text ELSE e.at::text END,
        to_json(e.acting_for)) || ']' $$;

-- The digest of each event of a chain in turn: SHA-256 over the one before (the first time: the head's) and the event.
CREATE FUNCTION audit_link(before bytea, head bytea, spelled text) RETURNS bytea LANGUAGE sql IMMUTABLE
RETURN sha256(coalesce(before, head) || convert_to(spelled, 'UTF8'));
CREATE AGGREGATE audit_chained(head bytea, spelled text) (sfunc = audit_link, stype = bytea);

CREATE FUNCTION seal_events(most int, looking_back bigint) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    done int;
BEGIN
    IF NOT pg_try_advisory_xact_lock(7001) THEN -- one sealer at a time
        RETURN 0;
    END IF;
    WITH unsealed AS MATERIALIZED (
        SELECT e.id, e.chain, audit_spelled(e) AS spelled
        FROM audit_event e LEFT JOIN audit_seal s ON s.event_id = e.id
        WHERE s.event_id IS NULL AND e.id > coalesce((SELECT max(event_id) FROM audit_seal) - looking_back, 0)
        ORDER BY e.id LIMIT most
    ), heads AS MATERIALIZED (
        SELECT its.chain, coalesce(last.number, 0) AS number,
               coalesce(last.digest, decode(repeat('00', 32), 'hex')) AS digest
        FROM (SELECT DISTINCT chain FROM unsealed) its LEFT JOIN LATERAL (
            SELECT number, digest FROM audit_seal WHERE chain = its.chain ORDER BY number DESC LIMIT 1) last ON true
    )
    INSERT INTO audit_seal (chain, number, event_id, digest)
    SELECT chain, h.number + row_number() OVER its, u.id, audit_chained(h.digest, u.spelled) OVER its
    FROM unsealed u JOIN heads h USING (chain) WINDOW its AS (PARTITION BY chain ORDER BY u.id);
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN done;
END $$;
REVOKE EXECUTE ON FUNCTION seal_events(int, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION seal_events(int, bigint) TO ebranch_app;
REVOKE INSERT ON audit_seal FROM ebranch_app;

-- Signed statements of all heads, hour by hour; the same stand as files in EBRANCH_DATA/checkpoints.
CREATE TABLE audit_checkpoint (
    number bigint PRIMARY KEY CONSTRAINT audit_checkpoint_number CHECK (number > 0),
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    body text NOT NULL,
    signature bytea NOT NULL CONSTRAINT audit_checkpoint_ed25519 CHECK (length(signature) = 64)
);
CREATE FUNCTION audit_checkpoint_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    last bigint := coalesce((SELECT max(number) FROM audit_checkpoint), 0);
BEGIN
    -- After a restore the numbers go on from the last one in the folder; the checkpoint says so.
    IF NEW.number <> last + 1 AND (NEW.number <= last OR NEW.body::json ->> 'restored_to' IS DISTINCT FROM last::text)
    THEN
        RAISE EXCEPTION 'a checkpoint follows the last one' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_checkpoint_guard BEFORE INSERT ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION audit_checkpoint_guard();
CREATE TRIGGER audit_checkpoint_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT (number, body, signature) ON audit_checkpoint TO ebranch_app;

-- Verifications an auditor asked for, with their progress and what they found. No evidence: what counts is the
-- evidence itself, and `ebranch verify-audit` reads it anew.
CREATE TABLE audit_verification (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT ebranch_now(),
    looked_at bigint NOT NULL DEFAULT 0,
    of_all bigint,
    ended_at timestamptz,
    finding jsonb,
    CONSTRAINT audit_verification_ended CHECK ((ended_at IS NULL) = (finding IS NULL))
);
CREATE UNIQUE INDEX audit_verification_one_at_a_time ON audit_verification ((true)) WHERE ended_at IS NULL;
GRANT SELECT, INSERT (asked_by), UPDATE (looked_at, of_all, ended_at, finding) ON audit_verification TO ebranch_app;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
