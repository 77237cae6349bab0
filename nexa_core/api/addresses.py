"""Where a request comes from and whom it means: client address, Host and Origin, believed as far as settings say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from nexa_core.api.connections import transport_of

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?P<name>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")


def peer_of(receive: Any, scope_client: tuple[str, int] | None) -> str | None:
    """The address at the other end of the connection, whatever headers claim.

    uvicorn believes X-Forwarded-For from 127.0.0.1 before any application code runs and cannot be told otherwise
    under ``streamlit run``, so the connection itself is asked.
    """
    transport = transport_of(receive)
    peer = transport.get_extra_info("peername") if transport is not None else None
    if isinstance(peer, tuple) and peer:
        return str(peer[0])
    return scope_client[0] if scope_client else None


def client_address(peer: str | None, forwarded_for: Iterable[str], trusted_proxies: Iterable[str]) -> str | None:
    """The address of the client: the last one in X-Forwarded-For that is no trusted proxy, if the peer is one."""
    address = _address(peer)
    if address is None:
        return None
    trusted = _networks(tuple(trusted_proxies))
    for hop in reversed([hop.strip() for value in forwarded_for for hop in value.split(",")]):
        if not _within(address, trusted):
            break
        if (previous := _address(hop)) is None:
            break
        address = previous
    return str(address)


def is_trusted_proxy(peer: str | None, trusted_proxies: Iterable[str]) -> bool:
    address = _address(peer)
    return address is not None and _within(address, _networks(tuple(trusted_proxies)))


def host_is_allowed(host: str | None, allowed_hosts: Iterable[str]) -> bool:
    """Whether the Host header names one of ours; the port does not matter."""
    name = _host_name(host or "")
    return name is not None and name in {_host_name(allowed) or "" for allowed in allowed_hosts}


def is_same_origin(origin: str, host: str, public_url: str) -> bool:
    """Whether the page that asks was served by us: its Origin is the public one, or that of the Host it asks.

    With an https public URL an http page is a stranger, although it may carry our name.
    """
    asked = _origin(origin)
    if asked is None:
        return False
    public = _origin(public_url)
    if asked == public:
        return True
    scheme, name, port = asked
    if public is not None and public[0] == "https" and scheme != "https":
        return False
    return (scheme, name, port) == _origin(f"{scheme}://{host}")


@lru_cache(maxsize=1024)
def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        return None
    return parts.scheme, parts.hostname.rstrip("."), port or _DEFAULT_PORTS[parts.scheme]


@lru_cache(maxsize=1024)
def _host_name(host: str) -> str | None:
    """The name in a Host header (RFC 9110, 7.2), read narrowly: it goes into the Content-Security-Policy."""
    found = _HOST.fullmatch(host.lower())
    if found is None or int(found["port"] or 0) > 65535:
        return None
    return found["name"].rstrip(".")


@lru_cache(maxsize=1024)
def _address(text: str | None) -> Address | None:
    text = (text or "").strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=8)
def _networks(trusted_proxies: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(str(proxy).strip(), strict=False) for proxy in trusted_proxies)


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
