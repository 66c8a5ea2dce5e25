"""Guesses at passwords and codes, counted in the database: exact across processes and under a hundred at once."""
import hmac
from dataclasses import dataclass
from datetime import timedelta

from server.core.clock import now
from server.core.database import row, rows
from server.core.keys import key as key_for

WINDOW = timedelta(minutes=15)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Throttle:
    """At most `most` guesses under one key within `window`; a right one clears the count."""

    name: str
    most: int
    window: timedelta = WINDOW

    async def take(self, key: str) -> bool:
        """Counts a guess before it is looked at; False when there were too many already."""
        moment = now()
        counted = await row("""
            INSERT INTO guess AS g (key, failures, since) VALUES ($1, 1, $2)
            ON CONFLICT (key) DO UPDATE SET
                failures = CASE WHEN g.since > $3 THEN g.failures + 1 ELSE 1 END,
                since = CASE WHEN g.since > $3 THEN g.since ELSE $2 END
            RETURNING failures""", self.kept(key), moment, moment - self.window)
        return counted is not None and counted["failures"] <= self.most

    async def taken(self, key: str) -> int:
        """How many guesses there have been within the window since the last right one."""
        found = await row("SELECT failures FROM guess WHERE key = $1 AND since > $2", self.kept(key),
                          now() - self.window)
        return found["failures"] if found else 0

    async def clear(self, key: str) -> None:
        """Forgets the guesses: the right one was among them."""
        await rows("DELETE FROM guess WHERE key = $1", self.kept(key))

    def kept(self, key: str) -> str:
        """What stands in the table for a key: it may be a phone number, which stands nowhere in clear."""
        return f"{self.name} {hmac.digest(key_for('guesses'), key.encode(), 'sha256').hex()}"
