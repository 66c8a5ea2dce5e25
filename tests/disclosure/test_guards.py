"""What the database refuses by itself about matters and editions: as the application's role."""
import pytest

from tests.cast import (
    COMMITTEE,
    COUNTY,
    NEIGHBOUR,
    ORGANISER,
    SECRETARY,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
)
from tests.disclosure.stories import (
    ASSETS,
    DUES,
    MEETINGS,
    ask_down,
    begin_correction,
    duty,
    edition,
    published,
    ready,
    returned,
    sign,
    signing,
    submitted,
    withdrawn,
    written,
)
from tests.villages.test_guards import refused
from tests.visits import actor_of

STAYS, UNSIGNED, UNREVIEWED, OWN = "EB043", "EB044", "EB045", "EB046"
SIGN = """INSERT INTO signature (edition_id, edition_version, seat, verdict, account_id, grant_id, who)
          VALUES ($1, $2, $3, '同意公开', $4, $5, '某人')"""
REVIEW = """INSERT INTO review (edition_id, edition_version, verdict, account_id, grant_id, who)
            VALUES ($1, $2, '审核通过', $3, $4, '某人')"""
TO = "UPDATE edition SET state = $2 WHERE id = $1"
PUBLISH = "UPDATE edition SET state = '已公开', fingerprint = 'x', published_at = now() WHERE id = $1"


async def identity(person) -> tuple[int, int]:
    actor = await actor_of(person)
    return actor.account_id, actor.grant_id


# What was handed on stays ---------------------------------------------------------------------------------------------

CONTENT = ("title = '别的'", "text = '别的'", "html = '别的'", "lines = '[[1]]'", "until = '2030-01-01'", "phone = '1'",
           "publish_at = now()", "why = '别的'", "authors = '{1}'", "version = version + 1", "number = 9",
           "item_id = item_id + 1")


@pytest.mark.parametrize("story", [signing, submitted, published, withdrawn])
@pytest.mark.parametrize("change", CONTENT)
async def test_what_was_handed_on_is_not_changed(as_app, at, story, change):
    await ready(at)
    await story(ASSETS)
    await refused(STAYS, as_app, f"UPDATE edition SET {change}")


@pytest.mark.parametrize("change", [
    "state = '草稿'", "state = '已作废'", "fingerprint = 'x'", "published_at = now()", "submitted_at = now()",
    "saved_who = '别人'", "submitted_who = '别人'", "delivered = true"])
async def test_what_is_published_is_not_touched_at_all(as_app, at, change):
    await ready(at)
    await published()
    await refused(STAYS, as_app, f"UPDATE edition SET {change}")


async def test_nothing_is_deleted(as_app, at):
    await ready(at)
    await published(ASSETS)
    for table in ("edition", "matter", "signature", "review", "rendering", "withdrawal", "office"):
        await refused("42501", as_app, f"DELETE FROM {table}")
        await refused("42501", as_app, f"TRUNCATE {table} CASCADE")
    for table in ("signature", "review"):
        await refused("42501", as_app, f"UPDATE {table} SET who = '别人'")


async def test_not_even_by_the_owner(owner, at):
    await ready(at)
    await published(ASSETS)
    await refused(STAYS, owner, "DELETE FROM edition")
    for table in ("signature", "review"):
        for sql in (f"UPDATE {table} SET who = '别人'", f"DELETE FROM {table}"):
            with pytest.raises(Exception, match="append"):
                await owner.execute(sql)


# No step is skipped ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("story", "why"), [(written, STAYS), (signing, STAYS), (submitted, UNREVIEWED),
                                            (returned, STAYS)])
async def test_nothing_is_published_without_review(as_app, at, story, why):
    await ready(at)
    its = (await edition(await story(ASSETS)))["id"]
    for sql in (PUBLISH, "UPDATE edition SET state = '待公开' WHERE id = $1"):
        await refused(why, as_app, sql, its)


async def test_a_yes_to_an_older_version_is_no_yes(as_app, owner, at):
    await ready(at)
    its = await edition(await submitted())
    await owner.execute("ALTER TABLE review DISABLE TRIGGER USER")
    await owner.execute(REVIEW, its["id"], its["version"] - 1, *await identity(COMMITTEE))
    await refused(UNREVIEWED, as_app, PUBLISH, its["id"])


async def test_finance_is_not_handed_on_unsigned(as_app, at):
    await ready(at)
    made = await signing()
    its = (await edition(made))["id"]
    await refused(UNSIGNED, as_app, TO, its, "待审核")
    await sign(made, SUPERVISOR)
    await refused(UNSIGNED, as_app, TO, its, "待审核")


async def test_nor_straight_from_the_draft(as_app, at):
    await ready(at)
    made = await written(ASSETS)
    await refused(UNSIGNED, as_app, "UPDATE edition SET state = '待审核', version = version + 1 WHERE id = $1",
                  (await edition(made))["id"])


async def test_an_edition_begins_as_a_draft_with_the_next_number(as_app, at):
    await ready(at)
    made = await published()
    insert = """INSERT INTO edition (matter_id, number, item_id, state, why, authors, saved_who)
                SELECT $1, $2, item_id, $3, $4, '{1}', 'x' FROM edition LIMIT 1"""
    for number, state, why in ((2, "待审核", "更正"), (3, "草稿", "更正"), (2, "草稿", ""), (1, "草稿", "更正")):
        await refused(STAYS, as_app, insert, made, number, state, why)
    await begin_correction(made)
    await refused("23505", as_app, insert, made, 3, "草稿", "更正")  # one is open


# Signatures and reviews -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("person", "seat"), [
    (SUPERVISOR, "书记"), (SECRETARY, "村务监督委员会"), (VILLAGE_ADMIN, "书记"), (ORGANISER, "书记"),
    (NEIGHBOUR, "书记"),
    (COMMITTEE, "书记"), (VILLAGER, "村务监督委员会")])
async def test_nobody_signs_for_another_seat(as_app, at, person, seat):
    await ready(at)
    its = await edition(await signing())
    await refused(UNSIGNED, as_app, SIGN, its["id"], its["version"], seat, *await identity(person))


async def test_with_somebody_elses_grant_nobody_signs(as_app, at):
    await ready(at)
    its = await edition(await signing())
    account, _ = await identity(VILLAGE_ADMIN)
    _, grant = await identity(SECRETARY)
    await refused(UNSIGNED, as_app, SIGN, its["id"], its["version"], "书记", account, grant)


async def test_a_seat_that_was_given_up_signs_no_more(as_app, owner, at):
    await ready(at)
    its = await edition(await signing())
    account, grant = await identity(SECRETARY)
    await owner.execute("ALTER TABLE role_grant DISABLE TRIGGER USER")
    await owner.execute("UPDATE role_grant SET until = ebranch_clock() WHERE id = $1", grant)
    await refused(UNSIGNED, as_app, SIGN, its["id"], its["version"], "书记", account, grant)


async def test_only_the_version_that_waits_is_signed_and_once(as_app, at):
    await ready(at)
    its = await edition(await signing())
    who = await identity(SECRETARY)
    await refused(UNSIGNED, as_app, SIGN, its["id"], its["version"] - 1, "书记", *who)
    await as_app.execute(SIGN, its["id"], its["version"], "书记", *who)
    await refused("23505", as_app, SIGN, its["id"], its["version"], "书记", *who)


@pytest.mark.parametrize("story", [written, submitted, published])
async def test_what_waits_for_no_signature_is_not_signed(as_app, at, story):
    await ready(at)
    its = await edition(await story())
    await refused(UNSIGNED, as_app, SIGN, its["id"], its["version"], "书记", *await identity(SECRETARY))


@pytest.mark.parametrize("person", [SIDIAN, COUNTY, SECRETARY, VILLAGE_ADMIN, NEIGHBOUR])
async def test_only_an_officer_of_the_villages_own_township_reviews(as_app, at, person):
    await ready(at)
    its = await edition(await submitted())
    await refused(UNREVIEWED, as_app, REVIEW, its["id"], its["version"], *await identity(person))


async def test_nobody_reviews_what_he_wrote(as_app, owner, at):
    await ready(at)
    its = await edition(await submitted())
    await owner.execute("ALTER TABLE edition DISABLE TRIGGER USER")
    await owner.execute("UPDATE edition SET authors = authors || $1::bigint", (await actor_of(COMMITTEE)).person_id)
    await refused(OWN, as_app, REVIEW, its["id"], its["version"], *await identity(COMMITTEE))


@pytest.mark.parametrize("story", [written, signing, returned, published])
async def test_what_does_not_wait_for_review_is_not_reviewed(as_app, at, story):
    await ready(at)
    its = await edition(await story())
    await refused(UNREVIEWED, as_app, REVIEW, its["id"], its["version"], *await identity(COMMITTEE))


async def test_a_return_says_why_and_a_yes_does_not(as_app, at):
    await ready(at)
    its = await edition(await submitted())
    review = """INSERT INTO review (edition_id, edition_version, verdict, reasons, account_id, grant_id, who)
                VALUES ($1, $2, $3, $4, $5, $6, 'x')"""
    for verdict, reasons in (("审核不通过", "{}"), ("审核通过", '{"title": "不好"}'), ("差不多", "{}")):
        await refused("23514", as_app, review, its["id"], its["version"], verdict, reasons, *await identity(COMMITTEE))


# Matters --------------------------------------------------------------------------------------------------------------

async def test_readers_see_published_editions_alone(as_app, at):
    await ready(at)
    made = await submitted()
    await refused(STAYS, as_app, "UPDATE matter SET edition_id = $2, published_at = now() WHERE id = $1", made,
                  (await edition(made))["id"])


async def test_neither_anothers_nor_an_older_edition(as_app, at):
    await ready(at)
    made, other = await published(), await published(ASSETS)
    await refused(STAYS, as_app, "UPDATE matter SET edition_id = $2 WHERE id = $1", made, (await edition(other))["id"])
    await refused(STAYS, as_app, "UPDATE matter SET edition_id = $2 WHERE id = $1", other, (await edition(made))["id"])


async def test_nothing_is_taken_down_without_the_township(as_app, at):
    await ready(at)
    made = await published()
    down = "UPDATE matter SET withdrawn_at = now(), withdrawn_why = 'x' WHERE id = $1"
    await refused(STAYS, as_app, down, made)
    await ask_down(made)
    await refused(STAYS, as_app, down, made)


async def test_what_was_taken_down_stays_down(as_app, at):
    await ready(at)
    await withdrawn()
    await refused(STAYS, as_app, "UPDATE matter SET withdrawn_at = NULL, withdrawn_why = NULL")
    await refused(STAYS, as_app, "UPDATE matter SET title = '别的'")


async def test_a_matter_answers_a_duty_of_its_own_village(as_app, at):
    await ready(at)
    its = await duty(MEETINGS, "2026-Q4")
    await refused("P0002", as_app, """INSERT INTO matter (village_code, organisation_id, organisation_path, duty_id,
        category, form, audience, created_by) VALUES ('370921102202', 1, '', $1, '村务', '文字', '党员', 1)""", its)


@pytest.mark.parametrize("change", ["title = '别的'", "audience = '村（居）民'", "form = '文字'"])
async def test_what_is_published_has_no_other_title_form_or_audience_without_a_new_edition(as_app, at, change):
    await ready(at)
    await published(DUES)
    await refused(STAYS, as_app, f"UPDATE matter SET {change}")


# What a later yes would cover -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("story", [written, returned])
async def test_what_is_handed_on_is_a_version_of_its_own(as_app, at, story):
    await ready(at)
    its = await edition(await story(MEETINGS))
    await refused(STAYS, as_app, TO, its["id"], "待审核")


async def test_a_matter_begins_with_nothing_published(as_app, at):
    await ready(at)
    made = await edition(await published(MEETINGS))
    await refused(STAYS, as_app, """
        INSERT INTO matter (village_code, organisation_id, organisation_path, duty_id, category, form, audience, title,
                            created_by, edition_id, published_at)
        SELECT village_code, 0, '', $2, category, form, audience, title, created_by, $1, now() FROM matter
        WHERE edition_id = $1""", made["id"], await duty(ASSETS, "2026-Q3"))


async def test_a_withdrawal_begins_with_asking(as_app, at):
    await ready(at)
    made = await published(MEETINGS)
    await refused(STAYS, as_app, """
        INSERT INTO withdrawal (matter_id, state, reason, person_id, who, answer_who, answer_at)
        VALUES ($1, '已撤下', '涉密', $2, '某人', '某人', now())""", made, (await actor_of(VILLAGE_ADMIN)).person_id)
