"""A small S3-compatible server: buckets in memory, the protocol's own addresses and answers, and every request's
signature (AWS Signature Version 4) computed again, so that a wrong key is refused as a real store refuses it."""
import hashlib
import hmac
import re
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

KEY_ID, SECRET = "test-key", "test-secret"


def hashed(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), "sha256").digest()


class Handler(BaseHTTPRequestHandler):
    """Objects of one bucket: PUT, GET (with Range), HEAD, DELETE, the list, and uploads in parts."""

    protocol_version = "HTTP/1.1"
    objects: dict[str, tuple[bytes, datetime]]
    parts: dict[str, dict[int, bytes]]

    def log_message(self, *_: object) -> None:
        """Nothing: tests read the objects."""

    def signed(self) -> bool:
        """Whether the signature is the one this request has under our key."""
        found = re.match(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/s3/aws4_request, ?"
                         r"SignedHeaders=([^,]+), ?Signature=(\w+)", self.headers.get("authorization", ""))
        if not found or found[1] != KEY_ID:
            return False
        split = urlsplit(self.path)
        query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}"
                         for name, value in sorted(parse_qsl(split.query, keep_blank_values=True)))
        headers = "".join(f"{name}:{' '.join(self.headers[name].split())}\n" for name in found[4].split(";"))
        asked = "\n".join((self.command, split.path, query, headers, found[4], self.headers["x-amz-content-sha256"]))
        scope = f"{found[2]}/{found[3]}/s3/aws4_request"
        told = "\n".join(("AWS4-HMAC-SHA256", self.headers["x-amz-date"], scope,
                          hashlib.sha256(asked.encode()).hexdigest()))
        key = f"AWS4{SECRET}".encode()
        for word in (found[2], found[3], "s3", "aws4_request"):
            key = hashed(key, word)
        return hmac.compare_digest(hashed(key, told).hex(), found[5])

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", headers.pop("length", str(len(body))))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def ask(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not self.signed():
            return self.answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        split = urlsplit(self.path)
        query = dict(parse_qsl(split.query, keep_blank_values=True))
        name = unquote(split.path).removeprefix("/papers").removeprefix("/")
        {"PUT": self.put, "GET": self.get, "HEAD": self.get, "DELETE": self.drop, "POST": self.gather}[self.command](
            name, query, body)

    do_PUT = do_GET = do_HEAD = do_DELETE = do_POST = ask

    def put(self, name: str, query: dict[str, str], body: bytes) -> None:
        if "partNumber" in query:
            self.parts[query["uploadId"]][int(query["partNumber"])] = body
        else:
            self.objects[name] = body, datetime.now(UTC)
        self.answer(200, ETag=f'"{hashlib.md5(body).hexdigest()}"')

    def gather(self, name: str, query: dict[str, str], body: bytes) -> None:
        if "delete" in query:
            gone = re.findall(r"<Key>[^<]+</Key>", body.decode())
            for found in gone:
                self.objects.pop(unescape(found[5:-6]), None)
            told = "".join(f"<Deleted>{found}</Deleted>" for found in gone)
            return self.answer(200, f"<DeleteResult>{told}</DeleteResult>".encode())
        if "uploads" in query:
            self.parts[f"u{len(self.parts)}"] = {}
            told = f"<UploadId>u{len(self.parts) - 1}</UploadId>"
            return self.answer(200, f"<InitiateMultipartUploadResult><Bucket>papers</Bucket><Key>{name}</Key>{told}"
                                    "</InitiateMultipartUploadResult>".encode())
        whole = b"".join(part for _, part in sorted(self.parts[query["uploadId"]].items()))
        self.objects[name] = whole, datetime.now(UTC)
        self.answer(200, b'<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>')

    def get(self, name: str, query: dict[str, str], _: bytes) -> None:
        if not name:
            return self.list(query)
        if name not in self.objects:
            return self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        body, at = self.objects[name]
        told = {"ETag": '"x"', "Last_Modified": at.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        piece = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        if piece:
            begin, end = int(piece[1]), min(int(piece[2] or len(body) - 1), len(body) - 1)
            return self.answer(206, body[begin:end + 1], Content_Range=f"bytes {begin}-{end}/{len(body)}", **told)
        self.answer(200, body, **told)

    def list(self, query: dict[str, str]) -> None:
        found = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(body)}</Size><ETag>x</ETag>"
            f"<LastModified>{at.strftime('%Y-%m-%dT%H:%M:%S.000Z')}</LastModified></Contents>"
            for name, (body, at) in sorted(self.objects.items()) if name.startswith(query.get("prefix", "")))
        self.answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode())

    def drop(self, name: str, query: dict[str, str], body: bytes) -> None:
        self.objects.pop(name, None)
        self.answer(204)


def serve() -> tuple[ThreadingHTTPServer, dict[str, tuple[bytes, datetime]]]:
    """A server with an empty bucket `papers`, running until it is shut down, and what lies in the bucket."""
    handler = type("Bucket", (Handler,), {"objects": {}, "parts": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, handler.objects
