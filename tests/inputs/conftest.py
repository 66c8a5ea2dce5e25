"""Everything that may be posted to, with somebody who may, in one database for all the nonsense of a module."""
from tests.permissions.conftest import visitor, world

__all__ = ["visitor", "world"]
