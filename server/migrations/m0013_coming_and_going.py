"""Members who register by themselves, officers who leave and who took over with what was unfinished then, and what is
new to who comes."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0013"
VERSION = "1.38.0"
DESCRIPTION = "registration, hand-overs"

SQL = """
-- What the printed list for signatures says: it stays as it was when the role changed hands.
CREATE TABLE hand_over (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    grant_id bigint NOT NULL CONSTRAINT hand_over_once UNIQUE
        CONSTRAINT hand_over_from REFERENCES role_grant ON DELETE RESTRICT,
    successor_grant_id bigint NOT NULL CONSTRAINT hand_over_to REFERENCES role_grant ON DELETE RESTRICT,
    items jsonb NOT NULL,
    why text NOT NULL CONSTRAINT hand_over_why CHECK (why <> ''),
    account_id bigint NOT NULL CONSTRAINT hand_over_by REFERENCES account ON DELETE RESTRICT,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    CONSTRAINT hand_over_to_another CHECK (grant_id <> successor_grant_id)
);
GRANT SELECT, INSERT (grant_id, successor_grant_id, items, why, account_id) ON hand_over TO ebranch_app;
CREATE TRIGGER hand_over_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON hand_over
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION hand_over_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE gone role_grant; next_one role_grant;
BEGIN
    SELECT * INTO gone FROM role_grant WHERE id = NEW.grant_id;
    SELECT * INTO next_one FROM role_grant WHERE id = NEW.successor_grant_id;
    IF gone.until IS NULL OR gone.until > ebranch_clock() THEN
        RAISE EXCEPTION 'a role is handed over when it has ended' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF (next_one.role, next_one.organisation_id) IS DISTINCT FROM (gone.role, gone.organisation_id)
            OR next_one.account_id = gone.account_id OR next_one.until <= ebranch_clock() THEN
        RAISE EXCEPTION 'a role is handed over to another who holds it' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER hand_over_guard BEFORE INSERT ON hand_over FOR EACH ROW EXECUTE FUNCTION hand_over_guard();

-- Who wants to register but has another phone than the register knows: somebody of the branch asks face to face.
CREATE TABLE registration_request (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id bigint NOT NULL CONSTRAINT registration_request_person REFERENCES person ON DELETE RESTRICT,
    asked_at timestamptz NOT NULL DEFAULT ebranch_now(),
    closed_at timestamptz
);
CREATE UNIQUE INDEX registration_request_once ON registration_request (person_id) WHERE closed_at IS NULL;
GRANT SELECT, INSERT (person_id), UPDATE (closed_at) ON registration_request TO ebranch_app;

-- What was said before somebody came is not new to him: only what is said from now on counts as unread.
CREATE FUNCTION role_grant_comes_newly() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO last_seen (person_id, thread_id, entry_id)
        SELECT a.person_id, t.id, e.newest
        FROM come g JOIN account a ON a.id = g.account_id JOIN thread t ON t.organisation_id = g.organisation_id
        JOIN LATERAL (SELECT max(id) AS newest FROM entry WHERE thread_id = t.id) e ON e.newest IS NOT NULL
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER role_grant_comes_newly AFTER INSERT ON role_grant REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION role_grant_comes_newly();
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
