"""Every screen there is: its address, its name, its place in the menu and the permission it asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from nexa_core.actor import Actor, Scope
from nexa_core.permissions import Permission

#: Where the screens are.
FOLDER = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Screen:
    """One file of ``pages``. ``path`` is its address; without a ``section`` it is reached by links only.

    ``in_demo`` is what a presenter needs instead of ``permission``.
    """

    file: str
    path: str
    title: str
    icon: str
    help: str
    section: str | None = None
    permission: Permission | None = None
    listed_for: frozenset[Scope] = frozenset(Scope)
    in_demo: Permission | None = None

    def asks_of(self, actor: Actor) -> Permission | None:
        """The permission the actor needs to see it; None where everybody may."""
        return self.in_demo if self.in_demo and actor.scope is Scope.PRESENTER else self.permission

    def is_open_to(self, actor: Actor) -> bool:
        """Whether the actor may see it at all."""
        wanted = self.asks_of(actor)
        return wanted is None or actor.may(wanted)

    def is_offered_to(self, actor: Actor) -> bool:
        """Whether the menu of somebody of the actor's scope has it; an admin's has no screens of a customer's own."""
        return self.is_open_to(actor) and actor.scope in self.listed_for

    def page(self, source: Path | Callable[[], None] | None = None, *, listed: bool = True) -> Page:
        """The screen for ``st.navigation``; ``source`` runs something else at its address."""
        return st.Page(
            source or FOLDER / self.file,
            title=self.title,
            icon=self.icon,
            url_path="" if self is HOME else self.path,
            help=self.help if listed else None,
            default=self is HOME,
            visibility="visible" if listed and self.section is not None else "hidden",
        )


HOME = Screen("home.py", "home", "Home", ":material/home:", "What matters today, for you.", "")
ORGANIZATIONS = Screen(
    "organizations.py",
    "organizations",
    "Organizations",
    ":material/apartment:",
    "Every customer you can reach: find one by name, status or plan, see what it uses, and open it.",
    "Customers",
    Permission.ORGANIZATIONS_BROWSE,
)
ORGANIZATION = Screen(
    "organization.py",
    "organization",
    "Organization",
    ":material/domain:",
    "Your organization: its people, its subscription and its limits.",
    "Workspace",
    Permission.ORGANIZATION_READ,
    frozenset({Scope.TENANT}),
)
AUDIT = Screen(
    "audit.py",
    "audit",
    "Audit log",
    ":material/history:",
    "Everything that happened: find it, read it like a story, and put a change back.",
    "Audit",
    Permission.AUDIT_READ,
)
ACCOUNT = Screen(
    "account.py",
    "account",
    "My account",
    ":material/account_circle:",
    "Your name, language, time zone and notifications, your password, and where you are signed in.",
)
AUDIT_PROOF = Screen(
    "audit_proof.py",
    "audit-proof",
    "Proof",
    ":material/verified_user:",
    "How far the audit log is verified and sealed, how long it is kept, and how to prove it to an outsider.",
    "Audit",
    Permission.AUDIT_READ,
)
STAFF_ACCESS = Screen(
    "staff_access.py",
    "staff-access",
    "Staff access",
    ":material/support_agent:",
    "Every time NEXA's own people opened your documents, changed something or viewed as one of you, and why.",
    "Audit",
    Permission.STAFF_ACCESS_READ,
    frozenset({Scope.TENANT}),
)
SYSTEM = Screen(
    "system.py",
    "system",
    "System",
    ":material/monitor_heart:",
    "Versions, database, jobs and waiting mail, and whether every invariant and the audit log hold.",
    "Platform",
    Permission.SYSTEM_READ,
)
NEW_ORGANIZATION = Screen(
    "new_organization.py",
    "new-organization",
    "New organization",
    ":material/add_business:",
    "Make a customer and invite its first owner.",
    permission=Permission.ORGANIZATIONS_MANAGE,
)
PEOPLE = Screen(
    "people.py",
    "people",
    "People",
    ":material/group:",
    "Everybody with an account: find somebody, see what happened to their account, help them.",
    "Platform",
    Permission.USERS_MANAGE,
)
PERSON = Screen(
    "person.py",
    "person",
    "Person",
    ":material/person:",
    "One person: memberships, security, data protection.",
    permission=Permission.USERS_MANAGE,
)
BRIEF = Screen(
    "brief.py",
    "brief",
    "Morning brief",
    ":material/wb_sunny:",
    "The few customers to call today: why, what shows it, and what to write to them.",
    "Customers",
    Permission.PORTFOLIO_READ,
    in_demo=Permission.DEMO_PRESENT,
)
PORTFOLIO = Screen(
    "portfolio.py",
    "portfolio",
    "Portfolio",
    ":material/monitoring:",
    "What all customers use and pay, against the last period, and where it leads.",
    "Customers",
    Permission.PORTFOLIO_READ,
    in_demo=Permission.DEMO_PRESENT,
)
USAGE = Screen(
    "usage.py",
    "usage",
    "Usage",
    ":material/data_usage:",
    "What an organization uses of its allowance, what for, and where it leads.",
    "Workspace",
    Permission.USAGE_READ,
    frozenset({Scope.TENANT}),
)
SESSIONS = Screen(
    "sessions.py",
    "sessions",
    "Sessions",
    ":material/draw:",
    "Architecture sessions: find one by what is written in it, open it, or begin a new one.",
    "Workspace",
    Permission.SESSIONS_READ,
)
TEMPLATES = Screen(
    "templates.py",
    "templates",
    "Templates",
    ":material/library_books:",
    "What new sessions can begin from: look at one, fill in its placeholders, use it.",
    "Workspace",
    Permission.SESSIONS_READ,
)
SHARE_LINKS = Screen(
    "share_links.py",
    "share-links",
    "Shared links",
    ":material/link:",
    "Every link a client can follow now: what it shows, until when, how often it was opened.",
    permission=Permission.SESSIONS_READ,
)
STRUCTURING = Screen(
    "structuring.py",
    "structuring",
    "Structuring",
    ":material/account_tree:",
    "Requirements, constraints, assumptions, components, integrations and risks of a session.",
    permission=Permission.SESSIONS_READ,
)
SOW = Screen(
    "sow.py",
    "sow",
    "Statement of work",
    ":material/article:",
    "Sections, deliverables, milestones and scope of a session.",
    permission=Permission.SESSIONS_READ,
)
LOE = Screen(
    "loe.py",
    "loe",
    "Level of effort",
    ":material/timer:",
    "What a session takes, who does it, what it costs, and how sure that is.",
    permission=Permission.SESSIONS_READ,
)
VISUALS = Screen(
    "visuals.py",
    "visuals",
    "Visuals",
    ":material/schema:",
    "Diagrams and images of a session.",
    permission=Permission.SESSIONS_READ,
)
BILLING = Screen(
    "billing.py",
    "billing",
    "Billing",
    ":material/receipt_long:",
    "What each month comes to, line by line, down to the events behind it.",
    "Workspace",
    Permission.BILLING_READ,
    frozenset({Scope.TENANT}),
)
REHEARSAL = Screen(
    "rehearsal.py",
    "rehearsal",
    "What if",
    ":material/compare_arrows:",
    "A month's real use, replayed against every plan.",
    permission=Permission.BILLING_READ,
)
PLANS = Screen(
    "plans.py",
    "plans",
    "Plans",
    ":material/sell:",
    "What each plan was, is and will be; schedule a new version and see whom it affects.",
    "Platform",
    Permission.ORGANIZATIONS_MANAGE,
)
SCREENS = (
    HOME,
    BRIEF,
    PORTFOLIO,
    ORGANIZATIONS,
    NEW_ORGANIZATION,
    SESSIONS,
    TEMPLATES,
    SHARE_LINKS,
    STRUCTURING,
    SOW,
    LOE,
    VISUALS,
    ORGANIZATION,
    USAGE,
    BILLING,
    REHEARSAL,
    AUDIT,
    AUDIT_PROOF,
    STAFF_ACCESS,
    PEOPLE,
    PERSON,
    PLANS,
    SYSTEM,
    ACCOUNT,
)
#: The pages of a session, by what they are called in its documents.
SESSION_PAGES = {screen.path: screen for screen in (STRUCTURING, SOW, LOE, VISUALS)}

SIGN_IN = "sign_in.py"
SET_PASSWORD = Screen(
    "set_password.py", "set-password", "Set a new password", ":material/key:", "Where the mailed link leads."
)
JOIN = Screen("join.py", "join", "Join your organization", ":material/group_add:", "By the domain of your address.")

INVITATION = Screen("invitation.py", "invitation", "Invitation", ":material/mail:", "Where an invitation's link leads.")
#: What is open to everybody, signed in or not.
PUBLIC = (SET_PASSWORD, INVITATION, JOIN)


def to_customers(actor: Actor) -> None:
    """Links to where a customer is found."""
    for screen in (PORTFOLIO, ORGANIZATIONS):
        if screen.is_open_to(actor):
            st.page_link(screen.page(), icon=screen.icon)
