"""The log: one object of JSON per line on stderr (at a terminal, words), and nothing personal in it.

A line says when, how bad, who says it, what; within a request also its id, method, the route's template (never the
address: it may hold a token) and the account's number. Never a name, a number of a person, a query, a body, an
address of the network. Of a fault it says the type and the way it took through the code, never its words: PostgreSQL
quotes the row, ValueError what was typed."""
import logging
import logging.config
import secrets
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from pythonjsonlogger.msgspec import MsgspecFormatter

from server.journal import for_person, scrub

log = logging.getLogger("server.request")

ROOT = f"{Path(__file__).parents[2]}/"
MOST_FRAMES, MOST_FAULTS = 40, 5
PLAIN = ("answered", "left")  # said of every request: a word that needs no looking through
FIGURES = ("status", "ms")  # what a call may add to its line: numbers
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
QUIET = ("/static/", "/health")  # asked all the time; told only when something is wrong

Answering = tuple[str, HTTPScope]  # a request's id, and what is known of it by now
_answering: ContextVar[Answering | None] = ContextVar("answering", default=None)


def request_id() -> str:
    """The id of the request that is being answered, a new one outside of any: what a fault's page tells."""
    answering = _answering.get()
    return answering[0] if answering else secrets.token_hex(4)


def code_of(fault: BaseException) -> str:
    """What an exception says by numbers and the names of our own tables: an errno, a status, a constraint."""
    found = [getattr(fault, name, None) for name in ("errno", "status_code", "sqlstate", "table_name",
                                                     "constraint_name", "exit_code")]
    return " ".join(str(one) for one in found if isinstance(one, int | str) and one != "")[:200]


def frames(trace: TracebackType | None) -> Iterator[str]:
    """Where a fault came by, outermost first."""
    while trace is not None:
        code = trace.tb_frame.f_code
        file = code.co_filename.removeprefix(ROOT).rpartition("site-packages/")[2]
        yield f"{file}:{trace.tb_lineno} {code.co_name}"
        trace = trace.tb_next


def told(fault: BaseException | None) -> list[dict[str, Any]]:
    """A fault and what it came from, without their words."""
    found: list[dict[str, Any]] = []
    waiting = [fault]
    while waiting and len(found) < MOST_FAULTS:
        one = waiting.pop(0)
        if one is None:
            continue
        found.append({"type": type(one).__qualname__, "code": code_of(one),
                      "frames": list(frames(one.__traceback__))[-MOST_FRAMES:]})
        waiting += [one.__cause__ or (None if one.__suppress_context__ else one.__context__)]
        waiting += list(getattr(one, "exceptions", ()))
    return found


def words(record: logging.LogRecord) -> str:
    """The message, where an exception stands for its type."""
    given = record.args
    if not given and record.msg in PLAIN:
        return str(record.msg)
    if isinstance(given, tuple):
        given = tuple(f"{type(one).__qualname__} {code_of(one)}".strip() if isinstance(one, BaseException) else one
                      for one in given)
    elif isinstance(given, dict):  # logging's own way with a single argument that is one
        given = {name: type(one).__qualname__ for name, one in given.items()}
    try:
        return scrub(str(record.msg) % given if given else str(record.msg))
    except (TypeError, ValueError, KeyError):
        return scrub(str(record.msg))


def line_of(record: logging.LogRecord) -> dict[str, Any]:
    """All that a record says."""
    said: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname, "logger": record.name, "message": words(record)}
    answering = _answering.get()
    if answering is not None:
        number, scope = answering
        user = scope.get("user")
        said |= {"request": number, "path": scope.get("path_template"),
                 "method": scope["method"] if scope["method"] in METHODS else "?",
                 "account": user.account_id if user else None}
    said |= {name: getattr(record, name) for name in FIGURES if isinstance(getattr(record, name, None), int | float)}
    if record.exc_info and record.exc_info[1] is not None:
        said["fault"] = told(record.exc_info[1])
    return said


class Line(MsgspecFormatter):
    """One object of JSON, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        return self.jsonify_log_record(line_of(record))


class Words(logging.Formatter):
    """The same for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return for_person(line_of(record))


# What the worker's own command takes, too. Other people's packages are heard only when something is wrong.
CONFIG: dict[str, Any] = {
    "version": 1, "disable_existing_loggers": False,
    "formatters": {"line": {"()": Words if sys.stderr.isatty() else Line}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {"server": {"level": "INFO"}, "tasks": {"level": "INFO"},
                "_granian": {"handlers": [], "propagate": True, "level": "WARNING"},
                "arq": {"handlers": [], "propagate": True, "level": "WARNING"}},
}


def begin_log() -> None:
    """Sends this process's log to stderr, also what nobody caught. What can't be written disturbs nobody."""
    logging.raiseExceptions = False  # or logging itself would print the record with its arguments
    logging.config.dictConfig(CONFIG)
    logging.captureWarnings(True)
    sys.excepthook = uncaught


def uncaught(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
    """A process that ends by an exception says which and where, but not its words."""
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("server").critical("ended by a fault", exc_info=(kind, fault, trace))


def logged(app: ASGIApp) -> ASGIApp:
    """`app` with a line for each answered request, and the request's id in every line that is written meanwhile."""
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        began, status = time.perf_counter(), 0
        mark = _answering.set((secrets.token_hex(4), cast(HTTPScope, scope)))

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, tell)
        finally:
            if status >= 400 or not scope["path"].startswith(QUIET):
                log.info(PLAIN[not status], extra={
                    "status": status, "ms": round((time.perf_counter() - began) * 1000, 1)})
            _answering.reset(mark)
    return serve
