"""ID numbers and phones for everybody in the demonstration: invented, with serials that nobody living is given."""
from datetime import date, datetime, timedelta

from asyncpg import Connection

from server.people.rules import check_character
from server.people.tables import kept_id_number, kept_phone

COUNTY = "370921"
CENTENARIANS = {"男": ("999", "997"), "女": ("998", "996")}  # reserved by GB 11643 for people over a hundred
OLDEST, YOUNGEST = date(1941, 3, 1), date(2004, 3, 1)
WOMEN = "兰英梅霞芝荣玲萍娟燕红花香云芳珍娥琴平敏婷雪娜慧静"  # how the invented names end


async def load(connection: Connection, _: datetime) -> None:
    """Gives everybody who has none an ID number, and those without a phone one in the register."""
    found = await connection.fetch(
        "SELECT id, name, phone IS NULL AS unreachable FROM person WHERE id_number IS NULL ORDER BY id")
    numbered = [(one["id"], *kept_id_number(one["id"], invented(place, one["name"])))
                for place, one in enumerate(found)]
    await connection.executemany("UPDATE person SET id_number = $2, id_number_index = $3 WHERE id = $1", numbered)
    await connection.executemany("UPDATE person SET phone = $2, phone_index = $3 WHERE id = $1", [
        (one["id"], *kept_phone(one["id"], f"1590000{place:04}")) for place, one in enumerate(found)
        if one["unreachable"]])


def invented(place: int, name: str) -> str:
    """The ID number of the `place`-th person: another birthday for each, so that no two are alike."""
    days = (YOUNGEST - OLDEST).days
    born = OLDEST + timedelta(days=place * 7919 % days)  # a prime, so that neighbours are of different ages
    sex = "女" if name[-1] in WOMEN else "男"
    digits = f"{COUNTY}{born:%Y%m%d}{CENTENARIANS[sex][place // days % 2]}"
    return digits + check_character(digits)
