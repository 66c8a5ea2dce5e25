"""Entering people: one person is one row, whoever enters him or her first."""
from server.core import crypto, sms
from server.core.database import next_id, rows
from server.people.rules import sort_key
from server.people.tables import ID_NUMBER, kept_id_number, kept_phone, person_with_id_number


class OtherName(ValueError):
    """The ID number is there already, under another name."""


async def enter_person(name: str, id_number: str, phone: str | None) -> int:
    """The id of the person with this ID number, entered if there was none; must stand in a transaction.

    The phone is kept only for one who had none: a known one's changes by `change_phone` alone. Raises OtherName when
    the number belongs to somebody of another name. Two who enter the same person at once get the same row, also while
    the keys are being rotated (the lock is on the number, not on its index)."""
    await rows("SELECT pg_advisory_xact_lock($1)", _lock(id_number))
    known = await person_with_id_number(id_number)
    if known is None:
        person = await next_id("person")
        await rows("""
            INSERT INTO person (id, name, sort_key, id_number, id_number_index, phone, phone_index)
            OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7)""", person, name, sort_key(name),
                   *kept_id_number(person, id_number), *(kept_phone(person, phone) if phone else (None, None)))
    elif known["name"] != name:
        raise OtherName("这个身份证号登记的是另一个姓名，请核对")
    else:
        person = known["id"]
        if phone and known["phone"] is None:
            await change_phone(person, phone)
    return person


async def change_phone(person_id: int, phone: str) -> None:
    """Keeps another phone number of somebody; the caller writes the evidence."""
    await rows("UPDATE person SET phone = $2, phone_index = $3 WHERE id = $1", person_id, *kept_phone(person_id, phone))


async def tell_former_phone(phone: str | None, event_id: int, by: str, organisation_id: int | None) -> None:
    """So that nobody's account changes hands unnoticed: the number that was registered hears who took it away. Within
    the change's transaction, after its evidence."""
    if phone:
        await sms.send(f"former-phone-{event_id}", phone, "notice",
                       f"【灯塔e支部】您登记的手机号码已由{by}更改，这个号码不再用于登录。"
                       "不是您本人要求的，请马上告诉所在支部或开通账号的安全员。", organisation_id=organisation_id)


def _lock(id_number: str) -> int:
    """An advisory lock's key for one ID number: from the oldest key's index, which every process knows."""
    return int.from_bytes(crypto.blind_indexes(id_number, ID_NUMBER)[0][:8], signed=True)
