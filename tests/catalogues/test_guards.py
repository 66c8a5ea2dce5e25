"""What the database refuses by itself about catalogues and what is owed: as the application's role."""
import pytest

from tests.disclosure.stories import MEETINGS, NINGYANG, OPENED, POOR, catalogue, duty, new_version, ready
from tests.villages.test_guards import refused

PUBLISHED, STAYS = "EB042", "EB043"


@pytest.mark.parametrize("sql", [
    "UPDATE catalogue SET note = '别的'", "UPDATE catalogue SET number = 7",
    "UPDATE catalogue SET published_at = now()",
    "DELETE FROM catalogue", "UPDATE catalogue_item SET frequency = '每年' WHERE frequency = '每季度'",
    "DELETE FROM catalogue_item", "UPDATE catalogue_item SET item = item + 1000", "UPDATE catalogue_item SET rank = 0",
    """INSERT INTO catalogue_item (catalogue_id, rank, category, name, form, frequency, audience)
       SELECT id, 99, '村务', '夹带', '文字', '每年', '村（居）民' FROM catalogue"""])
async def test_a_published_catalogue_stays_as_it_is(as_app, at, sql):
    await at(OPENED)
    await catalogue()
    await refused(PUBLISHED, as_app, sql)


async def test_items_are_not_moved_out_of_a_published_one(as_app, at):
    await at(OPENED)
    await catalogue()
    draft = await as_app.fetchval("INSERT INTO catalogue (county_code) VALUES ($1) RETURNING id", NINGYANG)
    await refused(PUBLISHED, as_app, "UPDATE catalogue_item SET catalogue_id = $1", draft)


async def test_numbers_follow_one_another_whatever_is_asked(as_app, at):
    await at(OPENED)
    await catalogue()
    await new_version({POOR: {"guidance": "写明户数"}})
    made = await as_app.fetchval("INSERT INTO catalogue (county_code) VALUES ($1) RETURNING id", NINGYANG)
    await refused("23505", as_app, "INSERT INTO catalogue (county_code) VALUES ($1)", NINGYANG)
    moment = await at("2026-10-08 09:00")
    number, published_at = await as_app.fetchrow("""
        UPDATE catalogue SET number = 77, who = '某人', published_at = '2020-01-01' WHERE id = $1
        RETURNING number, published_at""", made)
    assert number == 3
    assert (published_at - moment).total_seconds() < 60


@pytest.mark.parametrize(("values", "why"), [
    ("'村务', '项', '表格', '每年', '村（居）民', '{}', '都适用'", "columns"),
    ("'村务', '项', '文字', '每年', '村（居）民', '{姓名}', '都适用'", "columns"),
    ("'村务', '项', '账目', '每月', '村（居）民', '{}', '都适用'", "ledger"),
    ("'财务', '项', '账目', '每年', '村（居）民', '{}', '都适用'", "ledger"),
    ("'便民服务', '项', '文字', '每季度', '村（居）民', '{}', '都适用'", "convenience"),
    ("'杂务', '项', '文字', '每年', '村（居）民', '{}', '都适用'", "category"),
    ("'村务', '', '文字', '每年', '村（居）民', '{}', '都适用'", "name"),
    ("'村务', '项', '口头', '每年', '村（居）民', '{}', '都适用'", "form"),
    ("'村务', '项', '文字', '每天', '村（居）民', '{}', '都适用'", "frequency"),
    ("'村务', '项', '文字', '每年', '外人', '{}', '都适用'", "audience"),
    ("'村务', '项', '文字', '每年', '村（居）民', '{}', '城市'", "variant")])
async def test_what_no_item_can_be(as_app, values, why):
    draft = await as_app.fetchval("INSERT INTO catalogue (county_code) VALUES ($1) RETURNING id", NINGYANG)
    with pytest.raises(Exception, match=f"catalogue_item_{why}"):
        await as_app.execute(f"""INSERT INTO catalogue_item (catalogue_id, rank, category, name, form, frequency,
                                 audience, columns, variant) VALUES ($1, 1, {values})""", draft)


async def test_for_members_is_only_what_is_of_the_party(as_app):
    """What villagers must be shown (村务, 财务, 便民服务) is not kept from them by a slip of the application."""
    draft = await as_app.fetchval("INSERT INTO catalogue (county_code) VALUES ($1) RETURNING id", NINGYANG)
    await refused("23514", as_app, """INSERT INTO catalogue_item (catalogue_id, rank, category, name, form, frequency,
                                      audience) VALUES ($1, 1, '财务', '项', '文字', '每年', '党员')""", draft)


@pytest.mark.parametrize("sql", [
    "DELETE FROM duty", "UPDATE duty SET last = first", "UPDATE duty SET village_code = village_code",
    "UPDATE duty SET period = '2030'", "DELETE FROM declaration", "UPDATE declared SET duty_id = duty_id"])
async def test_what_is_owed_is_neither_deleted_nor_moved(as_app, at, sql):
    await ready(at)
    await refused("42501", as_app, sql)


async def test_a_duty_is_owed_once_and_ends_after_it_began(as_app, at):
    await ready(at)
    owe = """INSERT INTO duty (village_code, organisation_path, item, item_id, period, first, last)
             SELECT village_code, organisation_path, item, item_id, {} FROM duty LIMIT 1"""
    await refused("23505", as_app, owe.format("period, first, last"))
    await refused("23514", as_app, owe.format("'x', last, first - 1"))
    await refused("23514", as_app, "UPDATE duty SET state = '忘了'")


@pytest.mark.parametrize("state", ["已公开", "本期无"])
async def test_what_is_owed_is_not_settled_by_nothing(as_app, at, state):
    await ready(at)
    await refused(STAYS, as_app, "UPDATE duty SET state = $2, settled_at = now() WHERE id = $1",
                  await duty(MEETINGS, "2026-Q3"), state)
