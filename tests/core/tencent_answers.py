"""Tencent Cloud's SMS service as the tests play it."""
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PHONE = "13700000010"


class Answering(BaseHTTPRequestHandler):
    """Answers as its server is told to."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((dict(self.headers), body))
        if self.server.answer is None:
            self.server.patience.wait(10)
            return
        status, media_type, said = self.server.answer
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def serving() -> Iterator[Any]:
    """The gateway, here: `asked` is what it was asked, `answer` what it answers, None nothing at all."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.asked, server.answer, server.patience = [], ok(), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.patience.set()
    server.shutdown()
    server.server_close()


def json_answer(response: dict[str, Any], status: int = 200) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps({"Response": response | {"RequestId": "r"}}).encode()


def status_answer(code: str, fee: int = 0, serial: str = "") -> tuple[int, str, bytes]:
    return json_answer({"SendStatusSet": [{"SerialNo": serial, "PhoneNumber": f"+86{PHONE}", "Fee": fee, "Code": code,
                                           "SessionContext": "code:7", "Message": f"about +86{PHONE}",
                                           "IsoCode": "CN"}]})


def ok() -> tuple[int, str, bytes]:
    return status_answer("Ok", 1, "5000:1045710669157053657849499619")


def error(code: str) -> tuple[int, str, bytes]:
    return json_answer({"Error": {"Code": code, "Message": f"about +86{PHONE}"}})
