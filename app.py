"""ASGI wiring only. `streamlit run app.py` imports this once, prepares everything, and serves the `st.App` it finds."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit import config as streamlit_config

from nexa_core import startup
from nexa_core.config import settings

with startup.one_sentence():
    startup.prepare(port=streamlit_config.get_option("server.port"))
    # One secret for all processes behind a proxy; Streamlit would draw its own in each.
    streamlit_config.set_option("server.cookieSecret", settings().derived_secret("streamlit cookie"))

from nexa_core import api, jobs
from pages._ui import errors


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Jobs run as long as requests are served. What is in memory by now stays: the collector may pass it by."""
    await jobs.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # what a request makes is mostly gone before anybody has to look for it
    startup.ready()
    try:
        yield
    finally:
        await jobs.stop()
        startup.finish()


app = st.App(
    Path(__file__).resolve().parent / "pages" / "_shell.py",
    routes=api.routes(),
    middleware=[Middleware(api.Guard)],
    lifespan=lifespan,
    on_script_error=errors.show,
)
