"""Who can be tried in the demo, and the one password they all have."""

from __future__ import annotations

from typing import NamedTuple

PASSWORD = "nexa-demo-walkthrough"  # noqa: S105 - printed in the README: demo organizations hold nothing real


class DemoAccount(NamedTuple):
    """One button of the sign-in page."""

    email: str
    title: str
    description: str


ACCOUNTS: tuple[DemoAccount, ...] = (
    DemoAccount("admin@nexa.example", "Internal admin", "Every organization, its people, and the system."),
    DemoAccount("manager@nexa.example", "Account manager", "What customers use, what it costs, whom to call."),
    DemoAccount("presenter@nexa.example", "Presenter", "Shows the demo organizations and changes nothing."),
    DemoAccount("owner@lumenfold.example", "Owner of Lumenfold Retail", "A growing customer, from the inside."),
    DemoAccount("viewer@lumenfold.example", "Viewer at Lumenfold Retail", "May read the sessions of one organization."),
)
