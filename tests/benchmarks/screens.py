"""What the frame around a screen costs: a rerun of an empty one, and the first page in a real Chromium."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from tests.benchmarks import programs
from tests.benchmarks.harness import Bench, Row, figure
from tests.browser import FLAGS, find

#: What a program that has been serving for a while holds, added on both sides: documents, caches, screens' state.
_BALLAST = "HELD = [{'number': number, 'parts': [number]} for number in range(150_000)]\n"
_FINISHED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


class Tab:
    """A browser tab without a browser: the WebSocket and messages that Streamlit's front end would use."""

    def __init__(self, socket: ClientConnection, screen: str, query: str = "") -> None:
        self._socket = socket
        self._state = BackMsg()
        self._state.rerun_script.page_name = screen
        self._state.rerun_script.query_string = query
        self.screen = ""
        #: The fragments that rerun by themselves, by the seconds between two of their runs.
        self.fragments: dict[float, str] = {}
        self.sample()
        self._state.rerun_script.page_name = ""
        assert self.screen == screen, f"asked for the screen {screen!r} and got {self.screen!r}"

    def sample(self) -> float:
        """Seconds from the wish to rerun until the script has finished; an AssertionError if it shows an error."""
        wish = self._state.SerializeToString()
        received = []
        began = time.perf_counter()
        self._socket.send(wish)
        finished = False
        while not finished:
            message = ForwardMsg()
            message.ParseFromString(self._socket.recv(timeout=60))  # type: ignore[arg-type]
            received.append(message)
            finished = message.WhichOneof("type") == "script_finished"
        seconds = time.perf_counter() - began
        for message in received:
            if message.WhichOneof("type") == "navigation":
                shown = message.navigation.page_script_hash
                self._state.rerun_script.page_script_hash = shown
                self.screen = next(
                    page.url_pathname for page in message.navigation.app_pages if page.page_script_hash == shown
                )
            elif message.WhichOneof("type") == "auto_rerun":
                self.fragments[round(message.auto_rerun.interval, 1)] = message.auto_rerun.fragment_id
            element = message.delta.new_element.WhichOneof("type")
            assert element not in ("exception", "alert"), f"the screen shows an error: {message}"
        assert message.script_finished in _FINISHED, message
        return seconds

    def fragment_sample(self, every: float) -> float:
        """Seconds that one rerun of the fragment takes which reruns every so many seconds."""
        self._state.rerun_script.fragment_id = self.fragments[every]
        self._state.rerun_script.is_auto_rerun = True
        try:
            return self.sample()
        finally:
            self._state.rerun_script.ClearField("fragment_id")
            self._state.rerun_script.ClearField("is_auto_rerun")


@contextmanager
def tab(url: str, screen: str = "", cookie: str | None = None, query: str = "") -> Iterator[Tab]:
    with connect(
        f"{url.replace('http', 'ws', 1)}/_stcore/stream",
        subprotocols=["streamlit"],  # type: ignore[list-item]
        origin=url,  # type: ignore[arg-type]
        additional_headers={"cookie": f"nexa={cookie}"} if cookie else None,
        max_size=None,
    ) as socket:
        yield Tab(socket, screen, query)


@figure("empty-rerun")
def empty_rerun(bench: Bench) -> Iterator[Row]:
    """Somebody signed in reruns a screen that holds nothing, against an empty script under default settings.

    NEXA is a copy whose menu has one screen more, at /empty, with guard, gate, navigation, sidebar and log as always.
    The default collects garbage after every rerun; NEXA froze what it held when it began to serve. So the second row
    lets both hold 450,000 objects more, which nobody froze.
    """
    for under_load, content in (("", ""), (", more in memory", "import ballast\n")):
        folder = Path(tempfile.mkdtemp(dir=bench.stage.folder))
        (folder / "default").mkdir()
        (folder / "default" / "empty.py").write_text(content or "\n")
        (folder / "default" / "ballast.py").write_text(_BALLAST)
        app = programs.copy_with_empty_screen(folder / "nexa", content)
        (folder / "nexa" / "ballast.py").write_text(_BALLAST)
        with (
            programs.nexa(bench.stage, app) as nexa,
            programs.streamlit("run", "empty.py", folder=folder / "default") as default,
            tab(nexa, programs.EMPTY, bench.stage.cookie()) as ours,
            tab(default) as theirs,
        ):
            yield bench.compare(
                (f"empty screen, signed in{under_load}", ours.sample),
                (f"default Streamlit, empty script{under_load}", theirs.sample),
                bound=0.5,
                pairs=30,
            )


@figure("first-page")
def first_page(bench: Bench) -> Iterator[Row]:
    """From the address until the sign-in form is there, for the first visitor after a start.

    Against ``streamlit hello`` until its title is there. Both programs are started anew for every sample, and every
    visitor has a browser context of its own, so nothing is cached anywhere; the start itself is not counted.
    """
    from playwright.sync_api import sync_playwright

    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=str(find()), args=FLAGS)
        stack.callback(browser.close)

        def sign_in_form() -> float:
            with programs.nexa(bench.stage) as url:
                return _seconds_until(browser, url, "input[type=password]")

        def hello() -> float:
            with programs.streamlit("hello", folder=_folder(bench.stage.folder)) as url:
                return _seconds_until(browser, url, "h1:has-text('Welcome to Streamlit')")

        yield bench.compare(
            ("sign-in form in Chromium, after a start", sign_in_form),
            ("title of streamlit hello", hello),
            bound=2,
            pairs=1,
        )


def _seconds_until(browser: Any, url: str, what: str) -> float:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator(what).wait_for(state="visible", timeout=60_000)
    seconds = time.perf_counter() - began
    context.close()
    return seconds


def _folder(parent: Path) -> Path:
    folder = parent / "hello"
    folder.mkdir(exist_ok=True)
    return folder
