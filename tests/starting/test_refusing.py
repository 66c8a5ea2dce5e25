"""What can't work is said in one clear line, and nothing is left running."""
import asyncio
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from server.embedded import prepare_postgres, prepare_redis
from server.settings import BadSetting, read
from tests.starting.conftest import AS_ORDINARY_USER, free_port, if_alone, within


@dataclass(frozen=True)
class OwnServers:
    """A PostgreSQL and a Valkey that the stack did not start."""

    sockets: Path

    def url(self, role: str) -> str:
        return f"postgresql://{role}@/ebranch?host={self.sockets}"

    @property
    def environ(self) -> dict[str, str]:
        return {"DATABASE_URL": self.url("ebranch_app"), "DATABASE_OWNER_URL": self.url("ebranch_owner"),
                "REDIS_URL": f"unix://{self.sockets}/redis.sock"}

    def ask(self, sql: str) -> object:
        async def fetch() -> object:
            connection = await asyncpg.connect(self.url("postgres"))
            try:
                return await connection.fetchval(sql)
            finally:
                await connection.close()

        return asyncio.run(fetch())


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServers]:
    data = tmp_path_factory.mktemp("own")
    with tempfile.TemporaryDirectory(prefix="ebranch-test-") as sockets:
        commands = [prepare_postgres(data / "postgres", Path(sockets)), prepare_redis(data / "redis", Path(sockets))]
        servers = [subprocess.Popen(command) for command in commands]
        within(10, lambda: (Path(sockets) / ".s.PGSQL.5432").exists() and (Path(sockets) / "redis.sock").exists())
        yield OwnServers(Path(sockets))
        for server in servers:
            server.send_signal(2)
            server.wait(10)


def is_one_line(said: str, *words: str) -> bool:
    return "\n" not in said and all(word in said for word in words)


def test_a_port_that_is_taken(make_stack):
    with socket.create_server(("127.0.0.1", 0)) as other:
        stack = make_stack(PORT=str(other.getsockname()[1])).start()
        assert is_one_line(stack.until_it_gives_up(), f"Port {stack.port}", "Address already in use")


def test_a_port_that_another_stack_shares(running, make_stack):
    assert is_one_line(make_stack(PORT=str(running.port)).start().until_it_gives_up(), f"Port {running.port}")


def test_a_data_folder_that_a_live_instance_holds(running, make_stack):
    second = make_stack(running.data).start()
    assert is_one_line(second.until_it_gives_up(), str(running.data), "in use")
    assert running.health()["status"] == 200


@pytest.mark.parametrize("beneath", ["", "/deeper/down"])
def test_a_data_folder_that_is_not_writable(make_stack, tmp_path, beneath):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    stack = make_stack(Path(f"{closed}{beneath}"), servant=AS_ORDINARY_USER)
    stack.said = tmp_path / "said"
    assert is_one_line(stack.start().until_it_gives_up(), "can't be written", str(closed), "Permission denied")


def test_a_database_that_does_not_answer(make_stack, own_servers):
    silent = f"postgresql://ebranch_app@127.0.0.1:{free_port()}/ebranch"
    stack = make_stack(**own_servers.environ | {"DATABASE_OWNER_URL": silent, "EBRANCH_WAIT_S": "1"}).start()
    assert is_one_line(stack.until_it_gives_up(), "The database does not answer, 1 s long", "Connect call failed")


def test_a_redis_that_does_not_answer(make_stack, own_servers):
    stack = make_stack(**own_servers.environ | {"REDIS_URL": f"redis://127.0.0.1:{free_port()}", "EBRANCH_WAIT_S": "1"})
    assert is_one_line(stack.start().until_it_gives_up(), "Redis does not answer, 1 s long", "Connect call failed")


def test_a_server_is_waited_for_half_a_minute():
    assert read({}).wait_s == 30


def test_a_database_that_refuses_us(make_stack, own_servers):
    unknown = own_servers.environ | {"DATABASE_OWNER_URL": own_servers.url("nobody_knows_me")}
    assert is_one_line(make_stack(**unknown).start().until_it_gives_up(), "refuses", "nobody_knows_me")


@pytest.mark.parametrize("role", ["ebranch_owner", "postgres"])
def test_an_application_that_would_run_as_owner_or_superuser(make_stack, own_servers, role):
    mighty = own_servers.environ | {"DATABASE_URL": own_servers.url(role)}
    made = own_servers.ask("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    assert is_one_line(make_stack(**mighty).start().until_it_gives_up(), role, "use ebranch_app")
    assert own_servers.ask("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == made


def test_own_servers_are_used_and_get_no_demonstration_and_no_other_clock(make_stack, own_servers):
    stack = make_stack(**own_servers.environ, EBRANCH_NOW="2030-01-01T08:00")
    del stack.environ["EBRANCH_DEMO"]
    stack.start().until_started()
    assert not (stack.data / "postgres").exists()
    assert not (stack.data / "redis").exists()
    assert own_servers.ask("SELECT count(*) FROM organisation") == 0
    assert own_servers.ask("SELECT offset_s FROM clock") == 0
    assert stack.interrupt() <= if_alone(5)
    assert own_servers.ask("SELECT 1") == 1, "an own server is not ours to stop"


@pytest.mark.parametrize(("environ", "word"), [
    ({"PORT": "http"}, "PORT"),
    ({"PORT": "70000"}, "PORT"),
    ({"EBRANCH_ZONE": "moon"}, "EBRANCH_ZONE"),
    ({"EBRANCH_NOW": "tomorrow"}, "EBRANCH_NOW"), ({"EBRANCH_NOW": "9999-12-31T23:59"}, "EBRANCH_NOW"),
    ({"EBRANCH_PICTURE_CODE": "never"}, "EBRANCH_PICTURE_CODE"),
    ({"EBRANCH_PASSWORD_MOST": "17"}, "EBRANCH_PASSWORD_MOST"),
    ({"EBRANCH_PASSWORD_MOST": "65"}, "EBRANCH_PASSWORD_MOST"),
    ({"EBRANCH_OFFICER_IDLE_MIN": "0"}, "EBRANCH_OFFICER_IDLE_MIN"),
    ({"EBRANCH_OFFICER_SESSION_H": "12.5"}, "EBRANCH_OFFICER_SESSION_H"),
    ({"EBRANCH_WAIT_S": "soon"}, "EBRANCH_WAIT_S"), ({"REDIS_URL": "nonsense"}, "REDIS_URL"),
    ({"REDIS_URL": "redis://cache:abc/0"}, "REDIS_URL"),
    ({"DATABASE_OWNER_URL": "postgresql://x"}, "DATABASE_URL"),
])
def test_a_setting_that_makes_no_sense(environ, word):
    with pytest.raises(BadSetting, match=word):
        read(environ)
