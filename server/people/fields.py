"""Form fields that say who somebody is: name, ID number, phone."""
from server.core.clock import now
from server.core.forms import Field, Filled, text
from server.core.masking import names_a_number
from server.core.workdays import beijing_date
from server.people.rules import read_id_number, read_phone, written_name

NAME_MOST = 50  # characters: names of some nationalities are long


def name(field: str, label: str) -> Field:
    """A name, kept in one spelling."""
    def read(typed: list[str]) -> str:
        written = written_name(typed[0]) if typed else ""
        if not written:
            raise ValueError(f"请填写{label}")
        if len(written) > NAME_MOST:
            raise ValueError(f"{label}最多 {NAME_MOST} 个字")
        return written
    return Field(field, label, read)


def id_number(field: str, label: str) -> Field:
    """A resident ID number (GB 11643)."""
    def read(typed: list[str]) -> str:
        if not typed or not typed[0].strip():
            raise ValueError(f"请填写{label}")
        return read_id_number(typed[0], beijing_date(now()))
    return Field(field, label, read)


def phone(field: str, label: str, *, required: bool = True) -> Field:
    """A mobile number; "" where none was typed and none is required."""
    def read(typed: list[str]) -> str:
        if not typed or not typed[0].strip():
            if not required:
                return ""
            raise ValueError(f"请填写{label}")
        return read_phone(typed[0])
    return Field(field, label, read)


PHONE_TWICE = (phone("phone", "新手机号码"), phone("again", "再填一遍新手机号码"))


def check_twice(filled: Filled) -> None:
    """Puts it beside the second field of PHONE_TWICE when the two differ."""
    if not filled.errors and filled["phone"] != filled["again"]:
        filled.errors["again"] = "两次填的不一样，请对照再填"


def reason(field: str, label: str, *, most: int = 100, required: bool = True) -> Field:
    """A reason as it stands in the evidence, in clear: a number in it would stand there too, so it is refused."""
    plain = text(field, label, most=most, required=required)

    def read(typed: list[str]) -> str:
        value: str = plain.read(typed)
        if names_a_number(value):
            raise ValueError(f"{label}里不要写身份证号、手机号，它会原样记入审计")
        return value
    return Field(field, label, read)
