"""What signing in costs beyond the one thing that is meant to be expensive: the verification of the password."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nexa_core import accounts
from nexa_core.accounts import passwords
from tests.benchmarks.harness import Bench, Row, figure, timed
from tests.benchmarks.stage import ORIGIN, OWNER, PASSWORD


@figure("sign-in")
def sign_in(bench: Bench) -> Iterator[Row]:
    """A right password to the ticket and the ticket to the cookie, against Argon2id alone."""
    stored = accounts.hash_password(PASSWORD)
    origin = replace(ORIGIN, ip_address="9.9.9.9")  # of the public internet: only then is its network counted

    def enter() -> None:
        ticket = accounts.sign_in(origin, email=OWNER, password=PASSWORD).ticket
        accounts.open_browser_sign_in(origin, ticket=ticket)

    yield bench.compare(
        ("accounts.sign_in and open_browser_sign_in", timed(enter)),
        ("Argon2id verification", timed(lambda: passwords.verify(PASSWORD, stored))),
        bound=1.5,
        pairs=25,
    )
