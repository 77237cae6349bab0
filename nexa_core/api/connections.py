"""The connection below a request: what uvicorn, which Streamlit starts in its own way, does not do for it."""

from __future__ import annotations

import socket
from asyncio import BaseTransport
from typing import Any


def transport_of(receive: Any) -> BaseTransport | None:
    """The connection that a request or WebSocket came by; None where it came by none, as in tests."""
    found: BaseTransport | None = getattr(getattr(receive, "__self__", None), "transport", None)
    return found


def send_at_once(receive: Any) -> None:
    """Have every answer leave when it is written (TCP_NODELAY, RFC 9293, 3.7.4).

    asyncio does so for sockets that name their protocol; the one that ``streamlit run`` binds does not. Then the body
    of an answer waits until its head is acknowledged, which the other side delays by 40 ms, and so does every second
    message to a screen.
    """
    transport = transport_of(receive)
    found = transport.get_extra_info("socket") if transport is not None else None
    if found is not None and found.family in (socket.AF_INET, socket.AF_INET6):
        try:
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:  # gone already: nobody waits for this answer
            return
