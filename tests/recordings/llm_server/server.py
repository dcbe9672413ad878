"""The HTTP server: finds the API of a path, numbers and logs the call, sends the answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.recordings.llm_server.apis import APIS
from tests.recordings.llm_server.calls import Call, Json, Ledger
from tests.recordings.llm_server.messages import arguments_of, tool_wanted
from tests.recordings.otlp_sink import body_of


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    ledger: Ledger

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the log says it."""

    def do_GET(self) -> None:
        """Answer once more what has an ID, and else that the server is there. It takes no number and no line."""
        path, _, _ = self.path.partition("?")
        self._reply(200, self.ledger.ready.get(path) or {"object": "list", "data": []})

    def do_POST(self) -> None:
        """Answer a call of an API."""
        body: Json = json.loads(body_of(self) or b"{}")
        path, _, query = self.path.partition("?")
        api = next((api for api in APIS if api.serves(path)), None)
        if api is None:
            self._reply(404, {"error": {"message": f"no such path: {path}", "type": "invalid_request_error"}})
            return
        asked = api.asked(path, query, body)
        if not asked.is_call:
            self._reply(200, api.whole(Call(path=path, model=asked.model), body))
            return
        if self.ledger.must_fail(asked.user):
            failed = Call(path=path, model=asked.model, user=asked.user, stream=asked.stream, failed=True)
            self.ledger.write(failed)
            self._reply(500, api.error(), {"x-should-retry": "false"})
            return
        n = self.ledger.next_answer()
        tool, arguments = tool_wanted(asked) or (None, None)
        answer = f"Answer {n}: about '{asked.user}', here is what I found."
        if asked.form:
            answer = json.dumps(arguments_of(asked.form))
        call = Call(
            **asdict(api.usage(n)),
            n=n,
            path=path,
            model=asked.model,
            user=asked.user,
            answer=answer if asked.answers and not tool else None,
            tool=tool,
            arguments=arguments,
            stream=asked.stream,
            usage_sent=asked.usage_sent,
        )
        self.ledger.write(call)
        # In the background or not: whoever fetches it finds it ready.
        ready = api.whole(call, body | {"background": False})
        self.ledger.ready[f"{path}/{ready.get('id')}"] = ready
        if asked.stream:
            self._stream(api.stream_type(query), api.frames(call, query, body))
        else:
            self._reply(200, api.whole(call, body))

    def _reply(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, content_type: str, frames: Iterator[bytes]) -> None:
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("connection", "close")
        self.end_headers()
        for frame in frames:
            self.wfile.write(frame)
            self.wfile.flush()
        self.close_connection = True


def serve(log: Path, port: int = 0) -> ThreadingHTTPServer:
    """Listen on loopback (a free port by default) and answer in a thread of its own until `shutdown()`."""
    handler = type("BoundHandler", (Handler,), {"ledger": Ledger(log)})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def client_variables(server: ThreadingHTTPServer) -> dict[str, str]:
    """Return the environment variables by which clients of all APIs find the server."""
    address = f"http://127.0.0.1:{server.server_port}"
    return {name: value for api in APIS for name, value in api.variables(address).items()}
