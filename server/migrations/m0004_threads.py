"""Threads, their entries, and what each person has seen."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0004"
VERSION = "1.38.0"
DESCRIPTION = "threads"

SQL = """
-- A thread belongs to an organisation (组织生活, 支部论坛 …) or to one person (我的提醒).
CREATE TABLE thread (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    organisation_id bigint CONSTRAINT thread_organisation REFERENCES organisation ON DELETE RESTRICT,
    person_id bigint CONSTRAINT thread_person REFERENCES person ON DELETE RESTRICT,
    CONSTRAINT thread_one_owner CHECK (num_nonnulls(organisation_id, person_id) = 1)
);
CREATE UNIQUE INDEX thread_of_organisation ON thread (organisation_id, kind) WHERE organisation_id IS NOT NULL;
CREATE UNIQUE INDEX thread_of_person ON thread (person_id, kind) WHERE person_id IS NOT NULL;
GRANT SELECT, INSERT ON thread TO ebranch_app;

-- One row however many see it. A card is rendered once per version; html holds that rendering.
CREATE TABLE entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thread_id bigint NOT NULL CONSTRAINT entry_thread REFERENCES thread ON DELETE RESTRICT,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    person_id bigint CONSTRAINT entry_person REFERENCES person ON DELETE RESTRICT,
    who text NOT NULL,
    text text NOT NULL,
    card_kind text,
    subject_id bigint,
    card jsonb,
    html text,
    version int NOT NULL DEFAULT 1,
    superseded_at timestamptz,
    taken_down_at timestamptz,
    taken_down_by text,
    take_down_reason text,
    CONSTRAINT entry_card_whole CHECK (num_nonnulls(card_kind, subject_id, card, html) IN (0, 4)),
    CONSTRAINT entry_take_down_whole CHECK (num_nonnulls(taken_down_at, taken_down_by, take_down_reason) IN (0, 3))
);
CREATE INDEX entry_in_thread ON entry (thread_id, id);
CREATE INDEX entry_subject ON entry (card_kind, subject_id) WHERE card_kind IS NOT NULL;
GRANT SELECT, INSERT, UPDATE (superseded_at, taken_down_at, taken_down_by, take_down_reason) ON entry TO ebranch_app;

CREATE TABLE last_seen (
    person_id bigint NOT NULL CONSTRAINT last_seen_person REFERENCES person ON DELETE RESTRICT,
    thread_id bigint NOT NULL CONSTRAINT last_seen_thread REFERENCES thread ON DELETE RESTRICT,
    entry_id bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    PRIMARY KEY (person_id, thread_id)
);
GRANT SELECT, INSERT, UPDATE ON last_seen TO ebranch_app;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
