"""Building the unit directory tree (M3§6) from a file of code,name,parent,level: all of it, or nothing."""
import csv
import gzip
import zlib
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass

from asyncpg import Connection

from server.organisations.names import spoken_name
from server.organisations.rules import CODE_LENGTH, Level

HEADER = ["code", "name", "parent", "level"]
BATCH = 5000  # rows between two movements of the progress bar


@dataclass(frozen=True)
class Unit:
    line: int  # where it stands in the file, from 1
    code: str
    official_name: str
    parent: str
    level: Level

    @property
    def name(self) -> str:
        """As people say it; only villages and communities carry the name of the body that runs them."""
        return spoken_name(self.official_name) if self.level is Level.VILLAGE else self.official_name

    @property
    def path(self) -> str:
        """The codes from the province down: '37/3709/370921/370921102/370921102201/'."""
        lengths = [length for length in CODE_LENGTH.values() if length <= len(self.code)]
        return "".join(f"{self.code[:length]}/" for length in lengths)


@dataclass(frozen=True)
class Fault:
    line: int
    what: str


class DirtyFile(Exception):
    """The file has faults; nothing was written. `faults` has every one of them, in the order of their lines."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: fault.line)
        super().__init__(f"{len(self.faults)} faults")


@dataclass(frozen=True)
class Imported:
    new: int
    renamed: int
    unchanged: int
    missing: list[str]  # codes that stand in the tree and not in the file: kept


@dataclass(frozen=True)
class Reading:
    units: list[Unit]
    faults: list[Fault]
    codes: dict[str, int]  # every code the file speaks of, readable line or not → the line it first stands in


def read_units(content: bytes) -> Reading:
    """What a file's content, CSV or gzipped CSV, says, in any order, and all that is wrong with its lines."""
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            return Reading([], [Fault(1, "the gzip file is damaged or cut off")], {})
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    reading = Reading([], [], {})
    if _fields(lines[0]) != HEADER:
        reading.faults.append(Fault(1, f"the first line must be {','.join(HEADER)}"))
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            _read_line(reading, number, line)
    if not reading.units and not reading.faults:
        reading.faults.append(Fault(2, "there are no units in this file"))
    return reading


def _read_line(reading: Reading, number: int, line: bytes) -> None:
    code = line.split(b",", 1)[0].strip(b' "').decode("ascii", "replace")
    if code in reading.codes:
        reading.faults.append(Fault(number, f"code {code} already stands in line {reading.codes[code]}"))
    reading.codes.setdefault(code, number)
    found = _unit(number, line)
    if isinstance(found, Unit):
        reading.units.append(found)
    else:
        reading.faults.append(found)


def _unit(number: int, line: bytes) -> Unit | Fault:
    if b"\0" in line:
        return Fault(number, "there is a NUL byte in this line")
    fields = _fields(line)
    if fields is None:
        return Fault(number, "a quote in this line is not closed" if _is_utf8(line) else "this line is not UTF-8")
    if len(fields) != len(HEADER):
        return Fault(number, f"{len(fields)} columns instead of {len(HEADER)}")
    code, name, parent, level = fields
    if not name or not name.isprintable():
        return Fault(number, f"unit {code!r} has {'an unprintable' if name else 'an empty'} name")
    if level not in CODE_LENGTH:
        return Fault(number, f"unknown level {level!r}: it is one of {', '.join(CODE_LENGTH)}")
    if not (code.isascii() and code.isdigit() and len(code) == CODE_LENGTH[Level(level)]):
        return Fault(number, f"the code of a {level} has {CODE_LENGTH[Level(level)]} digits, not {code!r}")
    return Unit(number, code, name, parent, Level(level))


def _fields(line: bytes) -> list[str] | None:
    """The trimmed cells of one line; None if it isn't UTF-8 or its quotes don't close."""
    try:
        cells = next(csv.reader([line.decode("utf-8").rstrip("\r")], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return None
    return [cell.strip() for cell in cells]


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def misplaced(units: Iterable[Unit], codes: Container[str], tree: Container[str]) -> Iterator[Fault]:
    """The units whose parent is on the wrong level, or neither among the file's `codes` nor in the `tree`."""
    for unit in units:
        above = unit.level.above
        if above is None:
            if unit.parent:
                yield Fault(unit.line, f"a province has no parent, not {unit.parent!r}")
        elif unit.parent != unit.code[:CODE_LENGTH[above]]:
            yield Fault(unit.line, f"the parent of {unit.level} {unit.code} is the {above} "
                                   f"{unit.code[:CODE_LENGTH[above]]}, not {unit.parent!r}")
        elif unit.parent not in codes and unit.parent not in tree:
            yield Fault(unit.line, f"parent {unit.parent} of {unit.code} is neither in this file nor in the tree")


async def import_units(connection: Connection, content: bytes,
                       moved: Callable[[int, int], None] = lambda done, total: None) -> Imported:
    """Brings the tree to what the file says, as the tables' owner, in one transaction. A second time changes nothing.

    Names that changed are changed; what the file no longer has is kept, because matters and organisations hang on it.
    `moved(done, total)` is told how many rows are through. DirtyFile, with every fault, if anything is wrong.
    """
    reading = read_units(content)
    units = reading.units
    async with connection.transaction():
        await connection.execute("LOCK TABLE unit IN SHARE ROW EXCLUSIVE MODE")  # two imports: one after the other
        tree = {row["code"]: tuple(row)[1:] for row in await connection.fetch(
            "SELECT code, name, official_name, path FROM unit")}
        if faults := [*reading.faults, *misplaced(units, reading.codes, tree)]:
            raise DirtyFile(faults)
        # Parents before children: a foreign key is checked at the end of each batch.
        new = sorted((unit for unit in units if unit.code not in tree), key=lambda unit: (len(unit.code), unit.code))
        renamed = [unit for unit in units
                   if unit.code in tree and (unit.name, unit.official_name, unit.path) != tree[unit.code]]
        done = len(units) - len(new) - len(renamed)
        moved(done, len(units))
        for batch in _batches(new):
            await connection.copy_records_to_table(
                "unit", columns=["code", "parent_code", "level", "name", "official_name", "path"],
                records=[(unit.code, unit.parent or None, unit.level, unit.name, unit.official_name, unit.path)
                         for unit in batch])
            done += len(batch)
            moved(done, len(units))
        for batch in _batches(renamed):
            await connection.executemany("UPDATE unit SET name = $2, official_name = $3, path = $4 WHERE code = $1",
                                         [(unit.code, unit.name, unit.official_name, unit.path) for unit in batch])
            done += len(batch)
            moved(done, len(units))
    return Imported(len(new), len(renamed), len(units) - len(new) - len(renamed),
                    sorted(tree.keys() - {unit.code for unit in units}))


def _batches(units: list[Unit]) -> Iterable[list[Unit]]:
    return (units[start:start + BATCH] for start in range(0, len(units), BATCH))
