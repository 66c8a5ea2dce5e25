"""People: one row each, whatever they are besides. ID number and phone are encrypted and found by a blind index."""
from asyncpg import Record
from piccolo.columns import BigSerial, Bytea, Text, Timestamptz
from piccolo.table import Table

from server.core import crypto
from server.core.database import row, rows, the_row

ID_NUMBER, PHONE = "id number", "phone"  # the kinds of blind index
crypto.ENCRYPTED += [
    crypto.Column("person", "id_number", "id_number_index", ID_NUMBER),
    crypto.Column("person", "phone", "phone_index", PHONE),
]


class Person(Table):
    id = BigSerial(primary_key=True)
    name = Text()
    sort_key = Text()  # people.rules.sort_key(name)
    id_number = Bytea(null=True)  # encrypted
    id_number_index = Bytea(null=True, unique=True)
    phone = Bytea(null=True)  # encrypted; two people may share one
    phone_index = Bytea(null=True)
    created_at = Timestamptz()


async def person_with_id_number(number: str) -> Record | None:
    """The one person (id, name, phone) of an ID number."""
    return await row("SELECT id, name, phone FROM person WHERE id_number_index = ANY($1)",
                     crypto.blind_indexes(number, ID_NUMBER))


async def numbers_of(person_id: int) -> tuple[str | None, str | None]:
    """Somebody's ID number and phone, in clear: what is shown of them is masked, or audited."""
    found = await the_row("SELECT id_number, phone FROM person WHERE id = $1", person_id)
    return id_number_of(person_id, found["id_number"]), phone_of(person_id, found["phone"])


async def people_with_phone(phone: str) -> list[Record]:
    """The people (id, name) a phone number serves: usually one, sometimes a couple."""
    return await rows("SELECT id, name FROM person WHERE phone_index = ANY($1) ORDER BY id",
                      crypto.blind_indexes(phone, PHONE))


def id_number_of(person_id: int, kept: bytes | None) -> str | None:
    """The ID number in a person's column."""
    return None if kept is None else crypto.decrypt(kept, table="person", column="id_number", row_id=person_id)


def phone_of(person_id: int, kept: bytes | None) -> str | None:
    """The phone number in a person's column."""
    return None if kept is None else crypto.decrypt(kept, table="person", column="phone", row_id=person_id)


def kept_id_number(person_id: int, number: str) -> tuple[bytes, bytes]:
    """The columns id_number and id_number_index of a person."""
    return (crypto.encrypt(number, table="person", column="id_number", row_id=person_id),
            crypto.blind_index(number, ID_NUMBER))


def kept_phone(person_id: int, phone: str) -> tuple[bytes, bytes]:
    """The columns phone and phone_index of a person."""
    return (crypto.encrypt(phone, table="person", column="phone", row_id=person_id), crypto.blind_index(phone, PHONE))
