"""The demonstration on a stack of its own, whose clock can be put on."""
import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from server.settings import socket_folder
from tests.starting.conftest import Stack


class Demonstration(Stack):
    """`make run`, with a data folder and a port of its own."""

    def __init__(self, data: Path) -> None:
        super().__init__(data, EBRANCH_DEMO="1")
        self.address = f"http://localhost:{self.port}"

    def at(self, moment: str) -> None:
        """Starts, or starts again, with EBRANCH_NOW at `moment`, Beijing time."""
        if hasattr(self, "process"):
            self.interrupt()
        self.environ["EBRANCH_NOW"] = moment
        self.start()
        self.until_started()

    def wall_time(self, *, hours: int = 0) -> str:
        """When the clock was put to its moment, or some hours after, as a form takes it."""
        return f"{datetime.fromisoformat(self.environ['EBRANCH_NOW']) + timedelta(hours=hours):%Y-%m-%dT%H:%M}"

    def run_sql(self, sql: str) -> None:
        """As the tables' owner."""
        async def run() -> None:
            connection = await asyncpg.connect(f"postgresql://ebranch_owner@/ebranch?host={socket_folder(self.data)}")
            try:
                await connection.execute(sql)
            finally:
                await connection.close()
        with ThreadPoolExecutor() as beside:  # the browser's own loop runs here
            beside.submit(asyncio.run, run()).result()
