"""The lock looks at the real tables, also when the application's role lays others of the same name before them."""
import asyncpg
import pytest

from tests.meetings.stories import marks, planned

SHADOWS = (
    "CREATE TEMP TABLE meeting AS SELECT * FROM public.meeting",
    "UPDATE pg_temp.meeting SET lock_at = now() + interval '100 years'",
    "CREATE TEMP TABLE clock AS SELECT true AS one_row, -1e9::float8 AS offset_s",
    "CREATE TEMP TABLE deadline_rule AS SELECT 'log_lock' AS name, 4000 AS days",
    "CREATE TEMP TABLE calendar_day AS SELECT * FROM public.calendar_day",
    "UPDATE pg_temp.calendar_day SET working = false",
)


async def test_a_temporary_table_of_the_same_name_opens_no_lock(as_app, at):
    meeting = await planned(await at("2026-09-30 14:00"))
    await at("2026-12-01 09:00")
    for shadow in SHADOWS:
        await as_app.execute(shadow)
    for change in ("UPDATE public.attendance SET reply_note = 'x'", "UPDATE public.meeting SET topic = 'x'",
                   "INSERT INTO public.meeting_log (meeting_id, written_by) SELECT id, created_by FROM public.meeting"):
        with pytest.raises(asyncpg.PostgresError, match="log locked"):
            await as_app.execute(change)
    assert set((await marks(meeting)).values()) == {None}
