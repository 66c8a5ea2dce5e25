"""What the database refuses by itself about villages and exemptions: as the application's role."""
import asyncpg
import pytest

from tests.cast import organisation_id
from tests.disclosure.stories import HOUCUN, OPENED, QIANCUN, opened

OPEN = """INSERT INTO village (code, path, community, state, organisation_id, organisation_path, opened_at)
          VALUES ($1, '', false, '已开通', $2, '', ebranch_now())"""
ASK = """INSERT INTO exemption (village_code, organisation_id, organisation_path, state, reason, who, opinion)
         VALUES ($1, $2, '', $3, $4, '某人', $5)"""


async def refused(code: str, connection, sql: str, *values) -> None:
    with pytest.raises(asyncpg.PostgresError) as fault:
        await connection.execute(sql, *values)
    assert fault.value.sqlstate == code


@pytest.mark.parametrize(("code", "branch"), [
    (QIANCUN, "后村支部"), (QIANCUN, "东疏镇党委"), ("370921102", "东疏镇党委"), (HOUCUN, "前村支部")])
async def test_a_village_is_a_unit_with_a_branch_of_its_own(as_app, owner, code, branch):
    await refused("EB041", as_app, OPEN, code, await organisation_id(owner, branch))


async def test_a_closed_branch_answers_for_no_village(as_app, owner):
    await owner.execute("UPDATE organisation SET closed_at = ebranch_now() WHERE name = '前村支部'")
    await refused("EB041", as_app, OPEN, QIANCUN, await organisation_id(owner, "前村支部"))


async def test_where_it_stands_follows_from_its_unit_and_branch(as_app, owner):
    branch = await organisation_id(owner, "前村支部")
    await as_app.execute(OPEN, QIANCUN, branch)
    found = await owner.fetchrow("""SELECT v.path = u.path AND v.organisation_path = o.path AS right FROM village v
                                    JOIN unit u ON u.code = v.code JOIN organisation o ON o.id = $1""", branch)
    assert found["right"]
    for column in ("path", "organisation_path", "organisation_id", "code"):
        await refused("42501", as_app, f"UPDATE village SET {column} = {column}")
    await refused("42501", as_app, "DELETE FROM village")


async def test_an_opened_village_has_a_day_and_an_exempt_one_none(as_app, at):
    await at(OPENED)
    await opened()
    await refused("23514", as_app, "UPDATE village SET state = '暂不开通'")
    await refused("23514", as_app, "UPDATE village SET opened_at = NULL")


async def test_an_exemption_is_never_without_reason_opinion_or_approval(as_app, owner):
    branch = await organisation_id(owner, "前村支部")
    await refused("23514", as_app, ASK, QIANCUN, branch, "待镇街意见", "", "")
    await refused("23514", as_app, ASK, QIANCUN, branch, "待县级审批", "没有网络", "")
    await refused("23514", as_app, ASK, QIANCUN, branch, "已备案", "没有网络", "属实")
    await refused("23514", as_app, ASK, QIANCUN, branch, "已退回", "没有网络", "")
    await as_app.execute(ASK, QIANCUN, branch, "待县级审批", "没有网络", "属实")
    await refused("23505", as_app, ASK, QIANCUN, branch, "待镇街意见", "没有网络", "")
    await refused("42501", as_app, "UPDATE exemption SET reason = '别的'")
    await refused("42501", as_app, "DELETE FROM exemption")
