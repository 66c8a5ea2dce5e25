"""One-time codes, their limits, picture codes, and SMS."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0008"
VERSION = "1.38.0"
DESCRIPTION = "one-time codes, picture codes, SMS"

SQL = """
-- A one-time code is derived from its row's number and a key; it stands nowhere. phone_mac tells the phone without
-- being it. subject: whom it is for; NULL: nobody has that phone, the row is there so that nobody can tell.
CREATE TABLE one_time_code (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose text NOT NULL CONSTRAINT one_time_code_purpose CHECK (purpose <> ''),
    phone_mac bytea NOT NULL CONSTRAINT one_time_code_phone CHECK (length(phone_mac) = 32),
    subject bigint,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    tries int NOT NULL DEFAULT 0 CONSTRAINT one_time_code_tries CHECK (tries BETWEEN 0 AND 5),
    used_at timestamptz,
    CONSTRAINT one_time_code_life CHECK (expires_at > created_at)
);
CREATE INDEX one_time_code_of_phone ON one_time_code (phone_mac, purpose, id);
GRANT SELECT, INSERT (purpose, phone_mac, subject, created_at, expires_at), UPDATE (tries, used_at)
    ON one_time_code TO ebranch_app;

CREATE FUNCTION one_time_code_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.used_at IS NOT NULL OR NEW.tries < OLD.tries THEN
        RAISE EXCEPTION 'a code is used once, and a try counts' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER one_time_code_guard BEFORE UPDATE ON one_time_code
    FOR EACH ROW EXECUTE FUNCTION one_time_code_guard();

-- How many codes went to a phone on its last day (Beijing's), and when the last one did.
CREATE TABLE code_limit (
    phone_mac bytea PRIMARY KEY CONSTRAINT code_limit_phone CHECK (length(phone_mac) = 32),
    day date NOT NULL,
    sent int NOT NULL CONSTRAINT code_limit_sent CHECK (sent BETWEEN 1 AND 10),
    last_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON code_limit TO ebranch_app;

-- 图形验证码: the token carries everything; here stands only that it has been used.
CREATE TABLE picture_code_use (
    token_hash bytea PRIMARY KEY CONSTRAINT picture_code_use_sha256 CHECK (length(token_hash) = 32),
    used_at timestamptz NOT NULL
);
GRANT SELECT, INSERT ON picture_code_use TO ebranch_app;

-- SMS: the row is `sending` before the gateway is asked, and what became of it nobody knows is never sent again.
CREATE TABLE sms (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text COLLATE "C" NOT NULL CONSTRAINT sms_once UNIQUE,
    kind text NOT NULL CONSTRAINT sms_kind CHECK (kind <> ''),
    phone bytea NOT NULL,
    phone_index bytea NOT NULL CONSTRAINT sms_phone_index CHECK (length(phone_index) = 32),
    words bytea NOT NULL,
    organisation_id bigint CONSTRAINT sms_organisation REFERENCES organisation ON DELETE RESTRICT,
    again_of bigint CONSTRAINT sms_again_of REFERENCES sms ON DELETE RESTRICT,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    good_until timestamptz,
    state text NOT NULL DEFAULT 'waiting'
        CONSTRAINT sms_state CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'unknown')),
    tries int NOT NULL DEFAULT 0 CONSTRAINT sms_tries CHECK (tries >= 0),
    sending_at timestamptz,
    done_at timestamptz,
    gateway text,
    gateway_number text,
    segments int CONSTRAINT sms_segments CHECK (segments >= 0),
    cost_li bigint CONSTRAINT sms_cost CHECK (cost_li >= 0),
    fault text
);
CREATE INDEX sms_due ON sms (good_until, due_at, id) WHERE state = 'waiting';
CREATE INDEX sms_sending ON sms (sending_at) WHERE state = 'sending';
CREATE INDEX sms_of_phone ON sms (phone_index, id);
CREATE INDEX sms_by_time ON sms (created_at, id);
GRANT SELECT, UPDATE ON sms TO ebranch_app;
GRANT INSERT (id, key, kind, phone, phone_index, words, organisation_id, again_of, created_at, due_at, good_until)
    ON sms TO ebranch_app;
GRANT USAGE ON SEQUENCE sms_id_seq TO ebranch_app;

CREATE FUNCTION sms_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
            ('waiting', 'sending'), ('waiting', 'failed'), ('sending', 'waiting'), ('sending', 'sent'),
            ('sending', 'failed'), ('sending', 'unknown'),
            ('unknown', 'sent'), ('unknown', 'failed')) OR NEW.tries < OLD.tries OR NEW.key <> OLD.key THEN
        RAISE EXCEPTION 'an SMS goes from % to % by no way', OLD.state, NEW.state
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sms_guard BEFORE UPDATE ON sms FOR EACH ROW EXECUTE FUNCTION sms_guard();
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
