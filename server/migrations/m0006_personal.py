"""ID numbers and phones: encrypted in the person's columns. The phone moves there from the account: it is one fact."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.core.database import rows
from server.migrations import run_sql
from server.people.tables import kept_phone

ID = "0006"
VERSION = "1.38.0"
DESCRIPTION = "personal data, encrypted"

BEFORE = """
ALTER TABLE person
    ADD COLUMN id_number bytea,
    ADD COLUMN id_number_index bytea CONSTRAINT person_once UNIQUE
        CONSTRAINT person_id_number_index CHECK (length(id_number_index) = 32),
    ADD COLUMN phone bytea,
    ADD COLUMN phone_index bytea CONSTRAINT person_phone_index CHECK (length(phone_index) = 32),
    ADD CONSTRAINT person_id_number_whole CHECK (num_nonnulls(id_number, id_number_index) IN (0, 2)),
    ADD CONSTRAINT person_phone_whole CHECK (num_nonnulls(phone, phone_index) IN (0, 2));
CREATE INDEX person_by_phone ON person (phone_index);
GRANT INSERT (id, name, sort_key, id_number, id_number_index, phone, phone_index),
      UPDATE (id_number, id_number_index, phone, phone_index) ON person TO ebranch_app;
GRANT USAGE ON SEQUENCE person_id_seq TO ebranch_app;
"""
AFTER = "ALTER TABLE account DROP COLUMN phone"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="ebranch", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(BEFORE)
        for account in await rows("SELECT person_id, phone FROM account"):
            await rows("UPDATE person SET phone = $2, phone_index = $3 WHERE id = $1", account["person_id"],
                       *kept_phone(account["person_id"], account["phone"]))
        await run_sql(AFTER)

    manager.add_raw(run)
    return manager
