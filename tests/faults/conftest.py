"""One realm for all tests of faults; each leaves it in good health."""
import asyncio
from collections.abc import Iterator

import pytest

from tests.faults.realm import Realm


@pytest.fixture(scope="package")
def shared_realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    realm = Realm(tmp_path_factory.mktemp("realm") / "data")
    realm.start().until_started()
    asyncio.run(realm.settle())
    yield realm
    realm.clear()


@pytest.fixture
def realm(shared_realm: Realm) -> Realm:
    """The stack with the cast and a full hall, up and well."""
    if shared_realm.process.poll() is not None:
        shared_realm.start().until_started()
    shared_realm.until_back()
    return shared_realm
