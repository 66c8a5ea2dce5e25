"""Sessions that are confirmed by a code and only get stricter; forms kept for somebody who has to sign in again."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0011"
VERSION = "1.38.0"
DESCRIPTION = "sessions confirmed by a code, parked forms"

SQL = """
-- source: from where it was last used; confirmed_at: when its owner last entered a one-time code.
ALTER TABLE session
    ADD COLUMN source text NOT NULL DEFAULT '?',
    ADD COLUMN confirmed_at timestamptz;
GRANT UPDATE (token_hash, expires_at, source, confirmed_at) ON session TO ebranch_app;

CREATE OR REPLACE FUNCTION session_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'an ended session stays ended' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.expires_at > OLD.expires_at THEN
        RAISE EXCEPTION 'a session lives no longer than it was told' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.grant_id <> OLD.grant_id
            AND NOT EXISTS (SELECT FROM role_grant WHERE id = NEW.grant_id AND account_id = NEW.account_id) THEN
        RAISE EXCEPTION 'a session keeps to its own account' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

-- A form that came when its session was over, or before a code was entered; its fields are encrypted (core/crypto.py).
CREATE TABLE parked_form (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash bytea NOT NULL CONSTRAINT parked_form_token UNIQUE
        CONSTRAINT parked_form_sha256 CHECK (length(token_hash) = 32),
    account_id bigint NOT NULL CONSTRAINT parked_form_account REFERENCES account ON DELETE RESTRICT,
    grant_id bigint NOT NULL CONSTRAINT parked_form_grant REFERENCES role_grant ON DELETE RESTRICT,
    path text NOT NULL CONSTRAINT parked_form_path CHECK (path LIKE '/%'),
    page text NOT NULL,
    fields bytea NOT NULL CONSTRAINT parked_form_size CHECK (length(fields) <= 400000),
    parked_at timestamptz NOT NULL DEFAULT ebranch_now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX parked_form_of_account ON parked_form (account_id, id);
CREATE INDEX parked_form_over ON parked_form (expires_at);
GRANT SELECT, INSERT, UPDATE (used_at), DELETE ON parked_form TO ebranch_app;
GRANT USAGE ON SEQUENCE parked_form_id_seq TO ebranch_app;

-- A sign-in that waits for its code is a one_time_code (m0008) now.
DROP TABLE half_sign_in;

-- Changed by its owner; hashed anew when what a hash costs has been changed.
GRANT UPDATE (password_hash) ON account TO ebranch_app;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
