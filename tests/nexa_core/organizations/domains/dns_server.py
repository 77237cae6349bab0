"""A real DNS server on loopback, with the TXT records a test puts into it."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class Zone:
    """``records`` maps a name to its TXT values; ``silent`` stops answering at all."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.silent = False
        self.address = ""

    def answer(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        values = self.records.get(name)
        if values is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif query.question[0].rdtype == dns.rdatatype.TXT and values:
            quoted = [" ".join(f'"{value[i : i + 200]}"' for i in range(0, len(value), 200)) for value in values]
            response.answer.append(dns.rrset.from_text(name + ".", 60, "IN", "TXT", *quoted))
        return response.to_wire()


@contextmanager
def dns_server() -> Iterator[Zone]:
    """A server on a free port of 127.0.0.1 that answers from the zone it hands out."""
    zone = Zone()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, reply = self.request
            if not zone.silent:
                reply.sendto(zone.answer(wire), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        zone.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield zone
        server.shutdown()
        thread.join(timeout=5)
