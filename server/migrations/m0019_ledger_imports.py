"""Ledgers that come as .xlsx: a village's month, or one of many villages from the township that keeps their books."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0019"
VERSION = "1.38.0"
DESCRIPTION = "imports of ledgers"

SQL = """
-- One file. Turn by turn the rows are checked, then the villages' months are written, a village in one transaction; a
-- worker that is killed begins again with the turn it was at.
CREATE TABLE ledger_import (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL CONSTRAINT ledger_import_organisation REFERENCES organisation ON DELETE RESTRICT,
    matter_id bigint CONSTRAINT ledger_import_matter REFERENCES matter ON DELETE RESTRICT, -- a village's own; else many
    edition_version int, -- of the month as it was when a village handed its own sheet in
    month date NOT NULL,
    grant_id bigint NOT NULL CONSTRAINT ledger_import_grant REFERENCES role_grant ON DELETE RESTRICT,
    account_id bigint NOT NULL CONSTRAINT ledger_import_account REFERENCES account ON DELETE RESTRICT,
    who text NOT NULL,
    source text NOT NULL,
    file_name text NOT NULL,
    sha256 bytea NOT NULL CONSTRAINT ledger_import_sha256 CHECK (length(sha256) = 32),
    state text NOT NULL DEFAULT '导入中' CONSTRAINT ledger_import_state CHECK
        (state IN ('导入中', '已暂停', '已完成')),
    turn int NOT NULL DEFAULT 0,
    total int NOT NULL CONSTRAINT ledger_import_total CHECK (total > 0),
    checked int NOT NULL DEFAULT 0,
    wrong int NOT NULL DEFAULT 0,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    done_at timestamptz,
    CONSTRAINT ledger_import_done CHECK ((state = '已完成') = (done_at IS NOT NULL)),
    CONSTRAINT ledger_import_counts CHECK (checked <= total AND wrong <= checked)
);
CREATE UNIQUE INDEX ledger_import_under_way_once
    ON ledger_import (organisation_id, month, sha256, coalesce(matter_id, 0)) WHERE state <> '已完成';
CREATE INDEX ledger_import_of_organisation ON ledger_import (organisation_id, id);
GRANT SELECT, INSERT, UPDATE (state, turn, checked, wrong, done_at, grant_id, account_id, who, source) ON ledger_import
    TO ebranch_app;

CREATE TABLE ledger_import_row (
    import_id bigint NOT NULL CONSTRAINT ledger_import_row_import REFERENCES ledger_import ON DELETE RESTRICT,
    number int NOT NULL, -- as the sheet counts
    village_code text CONSTRAINT ledger_import_row_village REFERENCES village ON DELETE RESTRICT,
    cells jsonb NOT NULL,
    faults jsonb, -- by the name of a column; null until it was looked at
    PRIMARY KEY (import_id, number)
);
CREATE INDEX ledger_import_row_unchecked ON ledger_import_row (import_id, number) WHERE faults IS NULL;
CREATE INDEX ledger_import_row_wrong ON ledger_import_row (import_id, number) WHERE faults <> '{}';
CREATE INDEX ledger_import_row_of_village ON ledger_import_row (import_id, village_code, number);
GRANT SELECT, INSERT, UPDATE (village_code, faults) ON ledger_import_row TO ebranch_app;

-- What became of each village's month.
CREATE TABLE ledger_import_village (
    import_id bigint NOT NULL CONSTRAINT ledger_import_village_import REFERENCES ledger_import ON DELETE RESTRICT,
    village_code text NOT NULL CONSTRAINT ledger_import_village_village REFERENCES village ON DELETE RESTRICT,
    state text NOT NULL DEFAULT '待写入' CONSTRAINT ledger_import_village_state CHECK
        (state IN ('待写入', '已写入', '没有写入')),
    words text NOT NULL DEFAULT '',
    lines int NOT NULL DEFAULT 0,
    matter_id bigint CONSTRAINT ledger_import_village_matter REFERENCES matter ON DELETE RESTRICT,
    PRIMARY KEY (import_id, village_code),
    CONSTRAINT ledger_import_village_says_why CHECK (state <> '没有写入' OR words <> '')
);
GRANT SELECT, INSERT, UPDATE (state, words, lines, matter_id) ON ledger_import_village TO ebranch_app;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
