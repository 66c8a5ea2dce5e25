"""Personal values: encrypted where they are kept, unreadable anywhere else, found again under every key."""
import pytest
from cryptography.exceptions import InvalidTag

from server.core import crypto

PLACE = {"table": "person", "column": "phone", "row_id": 7}


@pytest.fixture
def keys(tmp_path, monkeypatch):
    """A folder of keys of its own."""
    monkeypatch.setattr(crypto, "folder", lambda: tmp_path)
    crypto.key.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    crypto.key.cache_clear()


def test_a_value_comes_back_and_is_never_kept_the_same_twice(keys):
    kept = [crypto.encrypt("13700000010", **PLACE) for _ in range(2)]
    assert kept[0] != kept[1]
    assert {crypto.decrypt(one, **PLACE) for one in kept} == {"13700000010"}
    assert b"13700000010" not in kept[0]


@pytest.mark.parametrize("elsewhere", [{"row_id": 8}, {"column": "id_number"}, {"table": "sms"}])
def test_a_value_moved_to_another_place_cannot_be_read(keys, elsewhere):
    kept = crypto.encrypt("13700000010", **PLACE)
    with pytest.raises(InvalidTag):
        crypto.decrypt(kept, **PLACE | elsewhere)


def test_a_changed_value_and_one_without_its_key_cannot_be_read(keys):
    kept = crypto.encrypt("13700000010", **PLACE)
    with pytest.raises(InvalidTag):
        crypto.decrypt(kept[:-1] + bytes([kept[-1] ^ 1]), **PLACE)
    with pytest.raises(KeyError, match="personal key 9"):
        crypto.decrypt((9).to_bytes(2) + kept[2:], **PLACE)


def test_a_new_key_is_noticed_by_itself_and_the_old_one_goes_on_reading(keys):
    kept, found = crypto.encrypt("13700000010", **PLACE), crypto.blind_index("13700000010", "phone")
    crypto.make_secret(crypto.path_of(2))
    assert crypto.version_of(crypto.encrypt("1", **PLACE)) == 2
    assert crypto.decrypt(kept, **PLACE) == "13700000010"
    assert crypto.blind_indexes("13700000010", "phone")[0] == found
    assert crypto.blind_indexes("13700000010", "phone")[1] == crypto.blind_index("13700000010", "phone") != found


def test_the_same_value_of_two_kinds_is_not_found_as_one(keys):
    assert crypto.blind_index("1", "phone") != crypto.blind_index("1", "id number")


def test_the_keys_are_the_owners_alone(keys):
    crypto.versions()
    assert crypto.path_of(1).stat().st_mode & 0o777 == 0o600
