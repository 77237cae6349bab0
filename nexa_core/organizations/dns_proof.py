"""The proof that a domain is an organization's: a TXT record that only who runs its DNS can set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.resolver

from nexa_core.config import settings

_PREFIX: Final = "nexa-domain-verification="
_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Proof:
    """What asking the DNS said; ``found`` is None when it could not be asked."""

    found: bool | None
    sentence: str


def record_name(domain: str) -> str:
    """Where the record belongs."""
    return f"_nexa-challenge.{domain}"


def record_value(token: str) -> str:
    """What the record says."""
    return f"{_PREFIX}{token}"


def look_up(domain: str, token: str) -> Proof:
    """Ask the DNS for the record, within 5 seconds; never raises for what the DNS answers or does not answer."""
    name, wanted = record_name(domain), record_value(token)
    try:
        answer = _resolver().resolve(name, "TXT", lifetime=_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Proof(False, f"There is no TXT record at {name} yet. A new one can take an hour to be seen everywhere.")
    except dns.exception.DNSException:
        return Proof(None, f"The DNS did not answer for {name}. Nothing was changed; try again in a few minutes.")
    values = [b"".join(record.strings).decode("utf-8", "replace").strip() for record in answer]
    if wanted in values:
        return Proof(True, f"The record at {name} is in place.")
    others = [value for value in values if value.startswith(_PREFIX)]
    if others:
        return Proof(False, f"The TXT record at {name} holds another value than the one shown here.")
    return Proof(False, f"There are TXT records at {name}, but none begins with {_PREFIX}")


def _resolver() -> dns.resolver.Resolver:
    given = settings().dns_resolver
    if not given:
        return dns.resolver.Resolver()
    address, _, port = given.rpartition(":") if given.count(":") == 1 else (given, "", "")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [address or given], int(port or 53)
    return resolver
