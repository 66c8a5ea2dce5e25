"""Reading the evidence's personal values, as only somebody with the keys and the database could."""
from hashlib import sha256

from server.core import crypto
from server.core.database import row


async def committed(told: dict[str, str]) -> str | None:
    """The value behind a commitment in before or after; None when it has been erased."""
    kept = await row("SELECT id, value FROM audit_value WHERE commitment = $1", bytes.fromhex(told["commitment"]))
    assert kept, "a commitment to nothing"
    if kept["value"] is None:
        return None
    salted = crypto.decrypt(kept["value"], table="audit_value", column="value", row_id=kept["id"])
    assert sha256(salted.encode()).hexdigest() == told["commitment"]
    return salted[64:]
