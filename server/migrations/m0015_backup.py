"""What a restored copy must know about itself, and what may be switched off."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0015"
VERSION = "1.38.0"
DESCRIPTION = "switches, restorations"

SQL = """
-- What somebody at the console may switch off and on: 'sms'. The application looks, and can't.
CREATE TABLE switch (
    name text PRIMARY KEY,
    "on" boolean NOT NULL
);
INSERT INTO switch VALUES ('sms', true);
GRANT SELECT ON switch TO ebranch_app;

-- That this database was restored from a backup, and of which moment and installation that was.
CREATE TABLE restoration (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT ebranch_now(),
    token text NOT NULL CONSTRAINT restoration_once UNIQUE,
    made_at timestamptz NOT NULL,
    installation text NOT NULL
);
CREATE TRIGGER restoration_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON restoration
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT ON restoration TO ebranch_app;

-- Which parts of the demonstration are loaded: its loader made this table before it stood here.
CREATE TABLE IF NOT EXISTS demonstration (
    part text PRIMARY KEY,
    loaded_at timestamptz NOT NULL DEFAULT ebranch_now()
);
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
