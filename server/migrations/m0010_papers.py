"""Papers: files of every kind, on their way and in their places, and the nightly look at them."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0010"
VERSION = "1.38.0"
DESCRIPTION = "kinds of files, uploads, attachments of a log, the nightly check"

SQL = """
ALTER TABLE file
    ADD COLUMN kind text NOT NULL DEFAULT 'JPEG'
        CONSTRAINT file_kind CHECK (kind IN ('JPEG', 'PDF', 'DOCX', 'XLSX', 'MP4', 'MP3')),
    ADD COLUMN sha256_small bytea,
    ADD COLUMN blurred boolean NOT NULL DEFAULT false,
    ALTER COLUMN width DROP NOT NULL,
    ALTER COLUMN height DROP NOT NULL,
    ADD CONSTRAINT file_picture_has_a_size
        CHECK (num_nonnulls(width, height) = CASE kind WHEN 'JPEG' THEN 2 ELSE 0 END);

-- A file vanishes only while nothing refers to it (its foreign keys), and not on the day it came.
CREATE FUNCTION file_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.at > ebranch_clock() - interval '1 day' THEN
        RAISE EXCEPTION 'a file is kept for a day' USING ERRCODE = 'EB004';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER file_guard BEFORE DELETE ON file FOR EACH ROW EXECUTE FUNCTION file_guard();
GRANT DELETE ON file TO ebranch_app;

-- What somebody has sent, or begun to send, to a form that is not saved yet.
CREATE TABLE upload (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id bigint NOT NULL CONSTRAINT upload_person REFERENCES person ON DELETE RESTRICT,
    place text NOT NULL,
    about text NOT NULL,
    name text NOT NULL,
    size bigint NOT NULL CONSTRAINT upload_size CHECK (size > 0),
    mark text NOT NULL,
    pieces int NOT NULL DEFAULT 0 CONSTRAINT upload_pieces CHECK (pieces >= 0),
    file_id bigint CONSTRAINT upload_file REFERENCES file ON DELETE RESTRICT,
    fault text,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    CONSTRAINT upload_once UNIQUE (person_id, place, about, name, size, mark)
);
CREATE INDEX upload_of_file ON upload (file_id);
CREATE INDEX upload_by_age ON upload (at);
GRANT SELECT, INSERT, DELETE, UPDATE (pieces, file_id, fault) ON upload TO ebranch_app;

ALTER TABLE log_photo ADD COLUMN rank int NOT NULL DEFAULT 0;

-- 附件 of a log; the same guards as its photographs.
CREATE TABLE log_attachment (
    meeting_id bigint NOT NULL CONSTRAINT log_attachment_meeting REFERENCES meeting ON DELETE RESTRICT,
    file_id bigint NOT NULL CONSTRAINT log_attachment_file REFERENCES file ON DELETE RESTRICT,
    rank int NOT NULL DEFAULT 0,
    removed_at timestamptz,
    PRIMARY KEY (meeting_id, file_id)
);
CREATE TRIGGER log_attachment_guard BEFORE INSERT OR UPDATE OR DELETE ON log_attachment
    FOR EACH ROW EXECUTE FUNCTION log_guard();
CREATE CONSTRAINT TRIGGER log_attachment_in_time AFTER INSERT OR UPDATE ON log_attachment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION committed_in_time();
GRANT SELECT, INSERT, UPDATE ON log_attachment TO ebranch_app;

-- What a log has besides its text, as it is now.
CREATE VIEW log_file AS
SELECT meeting_id, file_id, rank, 'log_photos' AS place FROM log_photo WHERE removed_at IS NULL
UNION ALL
SELECT meeting_id, file_id, rank, 'log_attachments' FROM log_attachment WHERE removed_at IS NULL;
GRANT SELECT ON log_file TO ebranch_app;

-- Looking for what refers to a file must not read whole tables.
CREATE INDEX log_photo_of_file ON log_photo (file_id);
CREATE INDEX log_attachment_of_file ON log_attachment (file_id);

-- The nightly look at every file: begun, carried on in slices, ended, with what it found.
CREATE TABLE file_check (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day date NOT NULL CONSTRAINT file_check_day UNIQUE,
    began_at timestamptz NOT NULL DEFAULT ebranch_now(),
    reached bigint NOT NULL DEFAULT 0,
    checked bigint NOT NULL DEFAULT 0,
    missing bigint[] NOT NULL DEFAULT '{}',
    changed bigint[] NOT NULL DEFAULT '{}',
    orphans bigint,
    ended_at timestamptz
);
GRANT SELECT, INSERT, UPDATE (reached, checked, missing, changed, orphans, ended_at) ON file_check TO ebranch_app;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
