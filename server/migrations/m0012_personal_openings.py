"""Personal data: each opening of a masked number, counted; the keys' rotation; the register by names."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0012"
VERSION = "1.38.0"
DESCRIPTION = "openings of masked numbers, key rotation"

SQL = """
CREATE INDEX person_by_name ON person (sort_key, id);

-- One row for each masked number that was opened; the number itself never stands here. press: which press of the button
-- it was, so that the same one twice opens nothing (members/rules.py has the limit too).
CREATE TABLE number_opening (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL CONSTRAINT number_opening_account REFERENCES account ON DELETE RESTRICT,
    person_id bigint NOT NULL CONSTRAINT number_opening_person REFERENCES person ON DELETE RESTRICT,
    what text NOT NULL CONSTRAINT number_opening_what CHECK (what IN ('身份证号', '手机号码')),
    press bytea NOT NULL CONSTRAINT number_opening_once UNIQUE
        CONSTRAINT number_opening_press CHECK (length(press) = 32),
    at timestamptz NOT NULL DEFAULT ebranch_now()
);
CREATE INDEX number_opening_lately ON number_opening (account_id, at);
GRANT SELECT, INSERT (account_id, person_id, what, press) ON number_opening TO ebranch_app;

CREATE FUNCTION number_opening_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('number_opening', NEW.account_id)); -- a hundred at once are counted
    NEW.at := ebranch_clock(); -- after the lock: who waited comes later
    IF (SELECT count(*) FROM number_opening WHERE account_id = NEW.account_id
        AND at > NEW.at - interval '1 hour') >= 30 THEN
        RAISE EXCEPTION 'thirty openings an hour' USING ERRCODE = 'EB030';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER number_opening_guard BEFORE INSERT ON number_opening
    FOR EACH ROW EXECUTE FUNCTION number_opening_guard();
CREATE TRIGGER number_opening_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON number_opening
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- `ebranch rotate-keys`: the version that encrypts from then on, and when nothing stood under an older one any more.
CREATE TABLE key_rotation (
    version int PRIMARY KEY CONSTRAINT key_rotation_version CHECK (version BETWEEN 2 AND 65535),
    began_at timestamptz NOT NULL DEFAULT ebranch_now(),
    ended_at timestamptz,
    CONSTRAINT key_rotation_ended CHECK (ended_at >= began_at)
);
CREATE UNIQUE INDEX key_rotation_one_at_a_time ON key_rotation ((true)) WHERE ended_at IS NULL;
GRANT SELECT ON key_rotation TO ebranch_app;

-- A process that does not see the new key yet (another machine's, with the folder of keys shared) must not enter
-- somebody under the old one: the unique index would not know him again.
CREATE FUNCTION person_key_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE newest int := (SELECT max(version) FROM key_rotation);
BEGIN
    IF newest IS NOT NULL AND (
            (NEW.id_number IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.id_number IS DISTINCT FROM OLD.id_number)
             AND get_byte(NEW.id_number, 0) * 256 + get_byte(NEW.id_number, 1) < newest)
            OR (NEW.phone IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.phone IS DISTINCT FROM OLD.phone)
                AND get_byte(NEW.phone, 0) * 256 + get_byte(NEW.phone, 1) < newest)) THEN
        RAISE EXCEPTION 'key % encrypts now', newest USING ERRCODE = 'EB031';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER person_key_guard BEFORE INSERT OR UPDATE ON person
    FOR EACH ROW EXECUTE FUNCTION person_key_guard();
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
