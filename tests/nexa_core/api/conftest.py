"""A real server for the guard and the API: uvicorn in a thread, Streamlit behind the guard, real WebSockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from nexa_core import accounts, api
from nexa_core.actor import Origin
from nexa_core.api.connections import transport_of

ROOT = Path(__file__).parents[3]
PASSWORD = "a quiet walk along the harbour"
# What a screen would keep: whose sign-in it is, and a secret that must never be shown to anybody else.
SHELL = """
import secrets
import streamlit as st
from nexa_core.api.identity import user_session_of
st.session_state.setdefault("secret", secrets.token_hex(8))
st.text(f"sign-in={user_session_of(st.user.get('sign_in'))}; secret={st.session_state.secret};")
st.text(f"address={st.context.ip_address};")
st.download_button("download", b"what only the signed-in may have", "secret.txt")
"""


@dataclass
class Tab:
    """One browser tab: a WebSocket of Streamlit's, with what its screen shows."""

    socket: ClientConnection
    session_id: str = ""
    screen: str = ""
    close_code: int | None = None

    def rerun(self) -> Tab:
        """Run the script and read until it has finished."""
        from streamlit.proto.BackMsg_pb2 import BackMsg

        message = BackMsg()
        message.rerun_script.query_string = ""
        self.socket.send(message.SerializeToString())
        self._read_until("script_finished")
        return self

    def wait_for_end(self, seconds: float = 5) -> None:
        """Wait until the server closes, or raise an AssertionError."""
        began = time.monotonic()
        try:
            while True:
                self.socket.recv(timeout=began + seconds - time.monotonic())
        except ConnectionClosed as closed:
            self.close_code = closed.rcvd.code if closed.rcvd else None
        except TimeoutError:
            raise AssertionError(f"still open after {seconds} s") from None

    def is_open(self) -> bool:
        try:
            self.rerun()
        except ConnectionClosed:
            return False
        return True

    def shown(self, name: str) -> str:
        """The last value the screen shows under a name."""
        return self.screen.rpartition(f"{name}=")[2].partition(";")[0]

    def _read_until(self, kind: str) -> None:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        while True:
            message = ForwardMsg()
            message.ParseFromString(self.socket.recv(timeout=20))  # type: ignore[arg-type]
            if message.WhichOneof("type") == "new_session":
                self.session_id = message.new_session.initialize.session_id or self.session_id
            elif message.WhichOneof("type") == "delta":
                self.screen += str(message)
            if message.WhichOneof("type") == kind:
                return


@dataclass
class Served:
    """The running server, and how browsers and programs reach it."""

    port: int

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def client(self, cookie: str | None = None, **headers: str) -> httpx.Client:
        """A browser's fetch, same origin unless told otherwise (``origin=""`` for none)."""
        headers = {"origin": self.url, **headers}
        if cookie is not None:
            headers["cookie"] = f"nexa={cookie}"
        return httpx.Client(base_url=self.url, headers={n: v for n, v in headers.items() if v}, timeout=30)

    def sign_in(self, email: str, password: str = PASSWORD) -> str:
        """The value of the cookie of a new browser sign-in."""
        ticket = accounts.sign_in(Origin(), email=email, password=password).ticket
        with self.client() as client:
            answer = client.post("/api/auth/cookie", json={"ticket": ticket})
        assert answer.status_code == 204, answer.text
        return answer.cookies["nexa"]

    @contextmanager
    def tab(
        self, cookie: str | None = None, resume: str = "", origin: str | None = "same", **headers: str
    ) -> Iterator[Tab]:
        """Open a WebSocket as Streamlit's front end does; ``resume`` is the Streamlit session id to go on with."""
        if cookie is not None:
            headers["cookie"] = f"nexa={cookie}"
        subprotocols: Any = ["streamlit", "unused", resume] if resume else ["streamlit"]
        with connect(
            f"ws://localhost:{self.port}/_stcore/stream",
            subprotocols=subprotocols,
            origin=self.url if origin == "same" else origin,  # type: ignore[arg-type]
            additional_headers=headers,
            max_size=None,
            close_timeout=1,
            compression=None,
        ) as socket:
            yield Tab(socket)


def _crash(_request: Request) -> Response:
    raise RuntimeError("secret-of-a-traceback")


def _echo(request: Request) -> Response:
    return PlainTextResponse(repr([request.headers.raw, request.client]))


def _at_once(request: Request) -> Response:
    """Whether what is written to this connection leaves when it is written."""
    transport = transport_of(request.receive)
    assert transport is not None
    return PlainTextResponse(str(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests here; its database is whichever the test has configured."""
    from streamlit import App, config
    from streamlit.runtime import Runtime

    folder = tmp_path_factory.mktemp("served")
    (folder / "_shell.py").write_text(SHELL)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)  # Streamlit reads the .streamlit/config.toml that NEXA ships
        config.get_config_options(force_reparse=True)
        app = App(
            folder / "_shell.py",
            routes=[Route("/crash", _crash), Route("/echo", _echo), Route("/at-once", _at_once), *api.routes()],
            middleware=[Middleware(api.Guard)],
        )
        listener = socket.create_server(("127.0.0.1", 0))
        served = Served(listener.getsockname()[1])
        runner = uvicorn.Server(uvicorn.Config(app, ws="websockets-sansio", log_config=None, access_log=False))
        thread = threading.Thread(target=runner.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not runner.started:
            time.sleep(0.01)
        yield served
        runner.should_exit = True
        thread.join(timeout=15)
        Runtime._instance = None  # the one Runtime of a process; screens' tests bring their own


@pytest.fixture
def people(server: Served, database: Any, world: Any) -> dict[str, Any]:
    """Two customers and the platform, with their ids: who the stories are about."""
    platform = world.organization("NEXA", is_platform=True)
    northwind, contoso = world.organization("Northwind"), world.organization("Contoso")
    return {
        "platform": platform,
        "northwind": northwind,
        "contoso": contoso,
        "root": world.person("root@nexa.example", platform, role="owner", password=PASSWORD),
        "ada": world.person("ada@northwind.example", northwind, role="owner", password=PASSWORD),
        "ben": world.person("ben@northwind.example", northwind, role="member", password=PASSWORD),
        "eve": world.person("eve@contoso.example", contoso, role="owner", password=PASSWORD),
    }
