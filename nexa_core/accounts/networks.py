"""Failed sign-ins of one network, and what else strangers may do so often: what stops one machine from trying a
password on everybody.

The lock of an account (``attempts``) is the first defence: a guess at one person is stopped after five. It does not
see one guess at each of ten thousand people (OWASP, Credential Stuffing Prevention). So a network may fail 100 times,
and then once every 36 seconds: 100 an hour, the figure that OWASP's ASVS 4.0.3 (2.2.1) has for a single account, here
for all the people behind one address of an office. Whoever signs in has what the attempt took given back.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from math import ceil

from sqlalchemy import text
from sqlalchemy.orm import Session

from nexa_core.db import fetched
from nexa_core.errors import LimitExceeded

FAILURES = 100
PERIOD = dt.timedelta(hours=1)
STEP = PERIOD / FAILURES

# One conditional statement on one row: no number of parallel attempts, or of processes, gets more than there is.
_SPEND = text("""
    INSERT INTO network_sign_ins AS t VALUES (CAST(:network AS cidr), now() + :step)
    ON CONFLICT (network) DO UPDATE SET spent_until = greatest(t.spent_until, now()) + :step
    WHERE t.spent_until <= now() + :period - :step
    RETURNING true
""")
_WAIT = text("""
    SELECT extract(epoch FROM spent_until - now() - :period + :step) FROM network_sign_ins
    WHERE network = CAST(:network AS cidr)
""")
_GIVE_BACK = text(
    "UPDATE network_sign_ins SET spent_until = spent_until - :step WHERE network = CAST(:network AS cidr)"
)


def network_of(ip_address: str | None) -> str | None:
    """The network that is counted: one IPv4 address, or the /64 a single IPv6 host has to itself (RFC 6177).

    None for what is no address of the public internet: behind a proxy that NEXA_TRUSTED_PROXIES does not name,
    everybody has the proxy's, and one person's failures would be everybody's.
    """
    try:
        address = ipaddress.ip_address(ip_address or "")
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if not address.is_global:
        return None
    return str(ipaddress.ip_network((address, 32 if address.version == 4 else 64), strict=False))


def spend(db: Session, ip_address: str | None, *, what: str = "failed sign-ins") -> None:
    """Count an attempt from this address as one that fails; raises LimitExceeded when its network has none left.

    ``what`` is what there were too many of.
    """
    if (network := network_of(ip_address)) is None:
        return
    values = {"network": network, "step": STEP, "period": PERIOD}
    if not fetched(db, _SPEND, values):
        seconds = max(1, ceil(db.execute(_WAIT, values).scalar() or 0))
        raise LimitExceeded(
            f"Too many {what} from your network. Try again in {seconds} second{'s' if seconds > 1 else ''}.",
            retry_after=seconds,
        )


def give_back(db: Session, ip_address: str | None) -> None:
    """The attempt did not fail."""
    if (network := network_of(ip_address)) is not None:
        fetched(db, _GIVE_BACK, {"network": network, "step": STEP})
