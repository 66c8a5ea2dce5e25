"""One linear history, in SQL: constraints, triggers and grants have names here, and nothing is left to a default."""
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.core.database import engine


async def run_sql(statements: str) -> None:
    """Runs `statements` as they stand, in the runner's transaction, as ebranch_owner."""
    transaction = engine().current_transaction.get()
    if transaction is None:
        raise RuntimeError("a migration runs in its runner's transaction")
    await transaction.connection.execute(statements)


def sql_migration(migration_id: str, description: str, statements: str) -> MigrationManager:
    """A migration that is SQL and nothing else."""
    manager = MigrationManager(migration_id=migration_id, app_name="ebranch", description=description)

    async def run() -> None:
        await run_sql(statements)

    manager.add_raw(run)
    return manager
