"""One linear history, in SQL: constraints, triggers and grants have names here, and nothing is left to a default."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.core.database import engine


def sql_migration(migration_id: str, description: str, statements: str) -> MigrationManager:
    """A migration that runs `statements` as they stand, inside the runner's transaction, as ebranch_owner."""
    manager = MigrationManager(migration_id=migration_id, app_name="ebranch", description=description)

    async def run() -> None:
        transaction = engine().current_transaction.get()
        if transaction is None:
            raise RuntimeError("a migration runs in its runner's transaction")
        await transaction.connection.execute(statements)

    manager.add_raw(run)
    return manager
