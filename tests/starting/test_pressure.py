"""Who holds connections without using them holds up nobody; what is no request is turned away by the server itself."""
import socket
import time
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest

HOST = b"Host: localhost\r\n"
BEGINNINGS = {  # what is sent and never finished
    "nothing": b"", "half a head": b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nX: ",
    "half a body": b"POST /sign-in HTTP/1.1\r\n" + HOST
    + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 15000\r\n\r\nphone=",
    "answers nobody reads": b"GET /static/x/app.js HTTP/1.1\r\n" + HOST + b"\r\n",
}
SLOW = 1_200  # connections of each kind; the most that may be held is 2,000 a process


def page_s(port: int) -> float:
    """How long a page takes."""
    began = time.monotonic()
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/sign-in")
    assert connection.getresponse().status == 200
    connection.close()
    return time.monotonic() - began


@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=BEGINNINGS)
def test_many_slow_connections_do_not_hold_up_a_page(running, beginning):
    with ExitStack() as held:
        for _ in range(SLOW):
            one = held.enter_context(socket.create_connection(("127.0.0.1", running.port), timeout=10))
            one.sendall(beginning)
        took = sorted(page_s(running.port) for _ in range(20))
        assert took[10] < 0.2
        assert took[-1] < 2
    assert running.health()["status"] == 200


RAW = {
    "bytes": (b"\x00\x01\x02\r\n\r\n", 400), "another protocol": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0),
    "another version": (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", 400),
    "a huge header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n", 431),
    "five thousand headers": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 5000 + b"\r\n", 431),
    "an endless address": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "a length below nothing": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -5\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
    "a NUL in a header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n", 400),
    "a length beyond all measure": (b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Type: application/x-www-form-"
                                    b"urlencoded\r\nContent-Length: 99999999999\r\n\r\n", 413),
    "a trace": (b"TRACE /sign-in HTTP/1.1\r\n" + HOST + b"X-Secret: echoed\r\n\r\n", 405),
    "a proxy's request": (b"CONNECT example.cn:443 HTTP/1.1\r\n" + HOST + b"\r\n", 405),
}


@pytest.mark.parametrize(("sent", "status"), RAW.values(), ids=RAW)
def test_what_is_no_request_is_turned_away_and_tells_nothing(running, sent, status):
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        connection.sendall(sent)
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 %d" % status) if status else not answer  # 0: it hangs up
    body = answer.partition(b"\r\n\r\n")[2]
    assert b"echoed" not in answer
    assert b"content-security-policy" in answer.lower() or body == b"", "the server's own refusals have no body"
