"""A provider on this machine that gives prepared answers, for adapters whose service is not reached in tests."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: str

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Answers:
    """`answers["POST", "/v1/refunds"] = 200, {...}`; a list of such pairs is given out one after the other."""

    def __init__(self, content_type: str = "application/json") -> None:
        self.answers: dict[tuple[str, str], Any] = {}
        self.asked: list[Asked] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                path = urlsplit(self.path).path
                headers = {key.lower(): value for key, value in self.headers.items()}
                outer.asked.append(Asked(self.command, path, headers, body))
                prepared = outer.answers.get((self.command, path), (404, {"error": {"message": "not prepared"}}))
                status, data = prepared.pop(0) if isinstance(prepared, list) else prepared
                content = b"" if data is None else json.dumps(data).encode()
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def __setitem__(self, key: tuple[str, str], answer: Any) -> None:
        self.answers[key] = answer

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
