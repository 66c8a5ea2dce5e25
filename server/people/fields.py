"""Form fields that say who somebody is: name, ID number, phone."""
from server.core.clock import now
from server.core.forms import Field
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


def phone(field: str, label: str) -> Field:
    """A mobile number."""
    def read(typed: list[str]) -> str:
        if not typed or not typed[0].strip():
            raise ValueError(f"请填写{label}")
        return read_phone(typed[0])
    return Field(field, label, read)
