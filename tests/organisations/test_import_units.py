"""import-units: the whole province at once, again without a change, and not a single row of a dirty file."""
import gzip
import random
import time

import pytest

from server.organisations.import_units import DirtyFile, Fault, import_units, read_units
from tests.organisations.register import HEADER, csv, register

BAR_S = 20  # for 64,095 places
ELSEWHERE = (  # a province that no other test knows
    "99,东海省,,province", "9901,蓬莱市,99,city", "990101,瀛洲县,9901,county", "990101101,方丈镇,990101,township",
    "990101101201,前村村委会,990101101,village", "990101101202,花园社区居委会,990101101,village",
)


async def elsewhere(owner) -> dict[str, str]:
    return {row["code"]: row["name"] for row in await owner.fetch("SELECT code, name FROM unit WHERE code LIKE '99%'")}


async def refused(owner, content: bytes) -> list[Fault]:
    before = await owner.fetchval("SELECT count(*) FROM unit")
    with pytest.raises(DirtyFile) as dirty:
        await import_units(owner, content)
    assert await owner.fetchval("SELECT count(*) FROM unit") == before
    return dirty.value.faults


async def test_the_whole_province_is_there_within_20_seconds_and_the_second_time_nothing_changes(owner):
    began, steps = time.monotonic(), []
    first = await import_units(owner, register(), lambda done, total: steps.append((done, total)))
    assert time.monotonic() - began < BAR_S
    assert first.new + first.renamed + first.unchanged == 64_095
    assert steps[-1] == (64_095, 64_095)
    assert steps == sorted(steps)
    again = await import_units(owner, register())
    assert (again.new, again.renamed, again.unchanged) == (0, 0, 64_095)
    assert await owner.fetchval("""
        SELECT count(*) FROM unit c JOIN unit p ON p.code = c.parent_code
        WHERE c.path <> p.path || c.code || '/' AND c.code <> ALL($1)""", first.missing) == 0


async def test_a_place_has_its_spoken_name_its_official_one_and_its_path(owner):
    done = await import_units(owner, csv(*ELSEWHERE))
    assert (done.new, done.renamed, done.unchanged) == (6, 0, 0)
    found = await owner.fetchrow("SELECT * FROM unit WHERE code = '990101101201'")
    assert (found["name"], found["official_name"], found["level"]) == ("前村", "前村村委会", "village")
    assert found["path"] == "99/9901/990101/990101101/990101101201/"
    assert (await elsewhere(owner))["990101101"] == "方丈镇"


async def test_the_order_of_the_rows_does_not_matter(owner):
    lines = list(ELSEWHERE)
    random.Random(1).shuffle(lines)
    assert (await import_units(owner, csv(*reversed(lines)))).new == 6


async def test_a_changed_name_is_changed_and_only_that(owner):
    await import_units(owner, csv(*ELSEWHERE))
    done = await import_units(owner, csv(*ELSEWHERE[:4], "990101101201,前村村民委员会,990101101,village",
                                         "990101101202,新花园社区居委会,990101101,village"))
    assert (done.new, done.renamed, done.unchanged) == (0, 2, 4)
    assert (await elsewhere(owner))["990101101201"] == "前村"
    assert (await elsewhere(owner))["990101101202"] == "新花园社区"


async def test_what_a_later_file_lacks_is_kept_and_said(owner):
    await import_units(owner, csv(*ELSEWHERE))
    done = await import_units(owner, csv(*ELSEWHERE[:5]))
    assert "990101101202" in done.missing
    assert len(await elsewhere(owner)) == 6


async def test_a_file_may_bring_one_township_into_a_tree_that_has_its_county(owner):
    await import_units(owner, csv(*ELSEWHERE))
    assert (await import_units(owner, csv("990101102,员峤镇,990101,township"))).new == 1


async def test_a_mark_at_the_beginning_windows_lines_quotes_and_blanks_are_no_dirt(owner):
    lines = [HEADER, *ELSEWHERE[:5], '"990101101203","李家, 小庄村委会", 990101101 ,village ', "", ""]
    content = b"\xef\xbb\xbf" + "\r\n".join(lines).encode()
    assert (await import_units(owner, gzip.compress(content))).new == 6
    assert (await elsewhere(owner))["990101101203"] == "李家, 小庄"


@pytest.mark.parametrize(("line", "what"), [
    ("990101101301,张庄村委会,990101999,village", "the parent of village 990101101301 is the township 990101101"),
    ("990102101,张镇,990102,township", "parent 990102 of 990102101 is neither in this file nor in the tree"),
    ("990101101201,另一个前村村委会,990101101,village", "code 990101101201 already stands in line 6"),
    ("990101101301,,990101101,village", "unit '990101101301' has an empty name"),
    ("990101101301,　,990101101,village", "an empty name"),
    ("990101101301,张\x07庄,990101101,village", "an unprintable name"),
    ("990101101301,张庄村委会,990101101,hamlet", "unknown level 'hamlet'"),
    ("990101101301,张庄村委会,990101101,township", "the code of a township has 9 digits"),
    ("99010110130x,张庄村委会,990101101,village", "the code of a village has 12 digits"),
    ("９９0101101301,张庄村委会,990101101,village", "the code of a village has 12 digits"),
    ("99,又一个省,98,province", "a province has no parent"),
    ("990101101301,张庄村委会,990101101", "3 columns instead of 4"),
    ("990101101301,张,庄村委会,990101101,village", "5 columns instead of 4"),
    ('990101101301,"张庄村委会,990101101,village', "a quote in this line is not closed"),
    ("990101101301,张\0庄村委会,990101101,village", "there is a NUL byte in this line"),
])
async def test_a_dirty_row_is_named_with_its_line_and_nothing_is_written(owner, line, what):
    faults = await refused(owner, csv(*ELSEWHERE, line))
    assert {fault.line for fault in faults} == {8}
    assert any(what in fault.what for fault in faults)


@pytest.mark.parametrize("broken", [b"\xff\xfe", "张庄".encode("gbk"), "张庄".encode()[:-1], b"\xed\xa0\x80"])
async def test_broken_utf_8_is_named_with_its_line(owner, broken):
    content = csv(*ELSEWHERE) + b"990101101301," + broken + b",990101101,village\n990101101302,,990101101,village\n"
    faults = await refused(owner, content)
    assert faults[0] == Fault(8, "this line is not UTF-8")
    assert faults[1].line == 9


async def test_every_fault_of_a_file_is_listed_at_once_in_order(owner):
    faults = await refused(owner, csv(
        *ELSEWHERE, "990101101301,,990101101,village", "990199101,孤镇,990199,township",
        "990101101201,前村,990101101,village", "990101101302,张庄,990101101,city", "x"))
    assert [fault.line for fault in faults] == [8, 9, 10, 11, 12]


async def test_the_villages_of_an_unreadable_township_are_not_blamed(owner):
    faults = await refused(owner, csv(*ELSEWHERE[:3], "990101101,,990101,township", *ELSEWHERE[4:]))
    assert [fault.line for fault in faults] == [5]


async def test_one_bad_row_among_64095_keeps_them_all_out(owner):
    content = gzip.decompress(register()) + b"370921102999,,370921102,village\n"
    assert [fault.line for fault in await refused(owner, content)] == [64_097]


@pytest.mark.parametrize("content", [
    b"", b"\n", HEADER.encode(), b"code;name;parent;level\n", b"\x1f\x8bnot gzip", b"\x00" * 100])
def test_a_file_that_is_none_is_said_plainly(content):
    assert read_units(content).faults


def test_a_cut_off_gzip_is_said_plainly():
    assert "cut off" in read_units(register()[:50_000]).faults[0].what
