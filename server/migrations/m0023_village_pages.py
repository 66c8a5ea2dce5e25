"""What a village's page consists of, as numbers: as long as they stay the same, so does the page."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.migrations import sql_migration

ID = "0023"
VERSION = "1.38.0"
DESCRIPTION = "when a village's page changed"

NOTED = "CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {rows} FOR EACH STATEMENT" \
        " EXECUTE FUNCTION note_village_change();\n"
INSERTED, UPDATED = "NEW TABLE AS changed", "OLD TABLE AS former NEW TABLE AS changed"
TRIGGERS = "".join(
    NOTED.format(name=f"{table}_{what}_shows", event=event, table=table, rows=rows)
    for table in ("duty", "matter", "edition", "deadline", "unit")
    for what, event, rows in (("new", "INSERT", INSERTED), ("change", "UPDATE", UPDATED))
    if (table, event) != ("unit", "INSERT"))

SQL = """
-- A number for each change that a village's page may show. They are only ever added, so that nobody who publishes waits
-- for another; the newest ones together say whether anything has changed, also when what was begun first is committed
-- last. Those of an hour ago are cleared away with the next.
CREATE TABLE village_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    village_code text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX village_change_newest ON village_change (village_code, id DESC);
GRANT SELECT ON village_change TO ebranch_app;

CREATE FUNCTION note_village_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SECURITY DEFINER AS $$
DECLARE codes text[];
BEGIN
    IF TG_TABLE_NAME IN ('duty', 'matter') THEN
        codes := ARRAY(SELECT DISTINCT village_code FROM changed);
    ELSIF TG_TABLE_NAME = 'edition' AND TG_OP = 'INSERT' THEN
        codes := ARRAY(SELECT DISTINCT m.village_code FROM changed c JOIN matter m ON m.id = c.matter_id);
    ELSIF TG_TABLE_NAME = 'edition' THEN
        codes := ARRAY(SELECT DISTINCT m.village_code FROM changed c JOIN former f ON f.id = c.id
                       JOIN matter m ON m.id = c.matter_id WHERE c.state <> f.state);
    ELSIF TG_TABLE_NAME = 'unit' THEN
        codes := ARRAY(SELECT DISTINCT v.code FROM changed c JOIN former f ON f.code = c.code
                       JOIN village v ON v.code >= c.code AND v.code < c.code || '~' WHERE c.name <> f.name);
    ELSIF TG_OP = 'INSERT' THEN
        codes := ARRAY(SELECT DISTINCT d.village_code FROM changed c JOIN duty d ON d.id = c.subject_id
                       WHERE c.subject_kind = 'duty');
    ELSE
        codes := ARRAY(SELECT DISTINCT d.village_code FROM changed c JOIN former f ON f.id = c.id
                       JOIN duty d ON d.id = c.subject_id
                       WHERE c.subject_kind = 'duty' AND (c.state, c.due_at) IS DISTINCT FROM (f.state, f.due_at));
    END IF;
    IF cardinality(codes) > 0 THEN
        DELETE FROM village_change WHERE id IN (
            SELECT id FROM village_change WHERE village_code = ANY(codes) AND at < clock_timestamp() - interval '1 hour'
            FOR UPDATE SKIP LOCKED);
        INSERT INTO village_change (village_code) SELECT unnest(codes);
    END IF;
    RETURN NULL;
END $$;
""" + TRIGGERS + """
-- What a village owes is looked for among all it ever owed.
CREATE INDEX duty_owed_of_village ON duty (village_code, last) WHERE state = '应公开';
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
