"""The one Piccolo application: one linear history of migrations (raw SQL) for all domains."""
from pathlib import Path

from piccolo.conf.apps import AppConfig

APP_CONFIG = AppConfig(
    app_name="ebranch",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[],  # the migrations are written by hand, nothing is generated from the classes
)
