"""What the tests of the house's core share."""
import pytest

from server.core import effects
from server.core.deadlines import sync_rules
from tests.core.deadline_samples import ORGANISATIONS


@pytest.fixture
async def rules(owner, monkeypatch):
    """The sample rules and organisations are known to this test's database, and no worker is woken."""
    async def asleep() -> None:
        return None

    monkeypatch.setattr(effects, "wake", asleep)
    await sync_rules(owner)
    await owner.executemany("""
        INSERT INTO organisation (id, parent_id, unit_code, kind, name, official_name)
        OVERRIDING SYSTEM VALUE VALUES ($1, $2, '37', $3, 'sample', 'sample')""", ORGANISATIONS)
