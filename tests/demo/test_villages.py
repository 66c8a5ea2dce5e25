"""What the demonstration's villages publish: a month with its vouchers, a community in its own words."""
from server.core import files
from server.demo.books import SHOWN


async def test_one_month_has_a_picture_of_every_voucher(demonstration):
    found = await demonstration.fetch("""
        SELECT l.file_id, r.html FROM ledger_line l JOIN rendering r ON r.edition_id = l.edition_id
        WHERE l.file_id IS NOT NULL""")
    assert len(found) == len(SHOWN)
    assert all("凭证齐全" in one["html"] and f'/vouchers/{one["file_id"]}"' in one["html"] for one in found)
    for one in (await files.of_ids([one["file_id"] for one in found])).values():
        for small in (False, True):
            body = await files.bytes_of(one, small=small)
            assert body is not None
            assert body.startswith(b"\xff\xd8")


async def test_the_community_owes_and_says_what_is_a_communitys(demonstration):
    found = await demonstration.fetch("""
        SELECT i.name, i.variant, e.text FROM village v JOIN duty d ON d.village_code = v.code
        JOIN catalogue_item i ON i.id = d.item_id
        LEFT JOIN matter m ON m.duty_id = d.id LEFT JOIN edition e ON e.matter_id = m.id WHERE v.community""")
    assert {one["variant"] for one in found} == {"都适用", "社区"}
    assert any(one["name"] == "居民自治章程、居民公约" for one in found)
    assert not [one["text"] for one in found if one["text"] and ("村委会" in one["text"] or "村民" in one["text"])]


async def test_what_did_not_occur_was_declared_by_somebody(demonstration):
    """Else nobody could take it back."""
    nothing = await demonstration.fetchval("SELECT count(*) FROM duty WHERE state = '本期无'")
    told = await demonstration.fetchval("""SELECT count(DISTINCT d.id) FROM duty d JOIN declared x ON x.duty_id = d.id
                                           JOIN declaration n ON n.id = x.declaration_id
                                               AND n.village_code = d.village_code
                                           WHERE d.state = '本期无' AND x.undone_at IS NULL""")
    assert told == nothing > 0
