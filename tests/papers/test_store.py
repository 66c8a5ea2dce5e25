"""Where files lie: the same in a folder and in an S3-compatible store."""
from collections.abc import Iterator
from dataclasses import replace

import obstore
import pytest

from server.core import store
from server.settings import S3, BadSetting, read_s3, settings
from tests.papers import s3

LARGE = bytes(range(256)) * 50_000  # 12.8 MB: in parts


def named(port: int, secret: str = s3.SECRET) -> S3:
    return S3("papers", f"http://127.0.0.1:{port}", "us-east-1", s3.KEY_ID, secret, "ebranch", virtual_host=False)


@pytest.fixture
def bucket(monkeypatch) -> Iterator[dict]:
    """What lies in a bucket that the settings name."""
    server, objects = s3.serve()
    monkeypatch.setattr(store, "settings", replace(settings, s3=named(server.server_port)))
    yield objects
    server.shutdown()


@pytest.fixture(params=["a folder", "S3"])
def lying(request, monkeypatch, tmp_path) -> None:
    """One store after the other."""
    if request.param == "S3":
        request.getfixturevalue("bucket")
    else:
        monkeypatch.setattr(store, "folder", lambda: tmp_path / "files")


async def test_what_is_put_is_got_again_whole_and_in_pieces(lying, tmp_path):
    (tmp_path / "large").write_bytes(LARGE)
    await store.put("ab/small", b"photograph")
    await store.put("ab/large", tmp_path / "large")
    assert await store.get("ab/small") == b"photograph"
    assert b"".join([block async for block in store.stream("ab/large", 100, 1_000_000)]) == LARGE[100:1_000_000]
    assert await store.digest("ab/large") == store.sha256(LARGE).digest()


async def test_what_is_not_there_is_missing_and_taken_away_without_a_word(lying):
    for missing in (store.get("ab/x"), store.digest("ab/x")):
        with pytest.raises(store.Missing):
            await missing
    with pytest.raises(store.Missing):
        [block async for block in store.stream("ab/x", 0, 10)]
    await store.delete("ab/x")


async def test_what_is_taken_away_is_gone_and_what_lies_there_is_listed(lying):
    for name in ("ab/1", "ab/2", "ac/1"):
        await store.put(name, b"x")
    await store.delete("ab/2")
    assert [(one.name, one.size) async for some in store.listing("ab") for one in some] == [("ab/1", 1)]


async def test_a_bucket_is_asked_with_our_key_and_under_our_prefix(bucket, monkeypatch):
    await store.put("ab/1", b"x")
    assert set(bucket) == {"ebranch/ab/1"}
    monkeypatch.setattr(store, "settings", replace(settings, s3=replace(store.settings.s3, secret="another")))
    with pytest.raises(obstore.exceptions.BaseError):
        await store.put("ab/2", b"x")
    assert set(bucket) == {"ebranch/ab/1"}


async def test_the_folder_is_nobody_elses_and_holds_no_half_files(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "folder", lambda: tmp_path / "files")
    await store.put("ab/1", LARGE)
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (tmp_path / "files").rglob("*") if path.is_file()] == ["1"]


WHOLE = {"EBRANCH_FILES_S3_BUCKET": "b", "EBRANCH_FILES_S3_ENDPOINT": "https://oss.example.cn/",
         "EBRANCH_FILES_S3_KEY_ID": "k", "EBRANCH_FILES_S3_SECRET": "s", "EBRANCH_FILES_S3_STYLE": "host"}


def test_the_settings_name_a_store_wholly_or_not_at_all():
    assert read_s3({}) is None
    assert read_s3(WHOLE) == S3("b", "https://oss.example.cn", "us-east-1", "k", "s", "", virtual_host=True)
    assert "'s'" not in repr(read_s3(WHOLE))
    for name in ("ENDPOINT", "KEY_ID", "SECRET"):
        with pytest.raises(BadSetting, match=f"EBRANCH_FILES_S3_{name} not"):
            read_s3({key: value for key, value in WHOLE.items() if not key.endswith(name)})
    for name, value in (("ENDPOINT", "oss.example.cn"), ("STYLE", "x")):
        with pytest.raises(BadSetting):
            read_s3(WHOLE | {f"EBRANCH_FILES_S3_{name}": value})
