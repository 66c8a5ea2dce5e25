"""A stack of its own for the canaries, with the cast and a member nobody else is called like."""
import asyncio
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from server.core import crypto
from server.core.keys import secret
from server.settings import settings
from tests.canary.values import REGISTERED
from tests.cast import enter
from tests.faults.realm import Realm
from tests.passwords import HASH


class Cage(Realm):
    """The realm, with the tests' own keys: what is made here the stack can read, and the other way round."""

    def lay_keys(self) -> None:
        crypto.versions()
        secret(settings.data / "keys")
        place = self.data / "keys"
        place.mkdir(mode=0o700, parents=True)
        for name in ("secret", "personal-1"):
            shutil.copy(settings.data / "keys" / name, place / name)

    async def let_in(self) -> None:
        """The cast, and the canary as a member of 前村支部 with an account."""
        await self.settle()
        async with self.database() as connection:
            person = await enter(connection, REGISTERED.name, REGISTERED.phone, REGISTERED.id_number)
            branch = await connection.fetchval("SELECT id FROM organisation WHERE name = '前村支部'")
            await connection.execute("INSERT INTO member (person_id, branch_id, standing, since)"
                                     " VALUES ($1, $2, '正式党员', $3)", person, branch, date(2020, 7, 1))
            account = await connection.fetchval(
                "INSERT INTO account (person_id, password_hash) VALUES ($1, $2) RETURNING id", person, HASH)
            await connection.execute("INSERT INTO role_grant (account_id, role, organisation_id)"
                                     " VALUES ($1, '正式党员', $2)", account, branch)

    def heard(self) -> list[Path]:
        """All that any process of the stack has said, and kept."""
        return [self.said, self.data / "logs"]


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cage]:
    cage = Cage(tmp_path_factory.mktemp("cage") / "data")
    cage.lay_keys()
    cage.start().until_started()
    asyncio.run(cage.let_in())
    yield cage
    cage.clear()
