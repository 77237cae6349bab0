"""Who may do what with invoices, rehearsals and the catalogue of plans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from nexa_core import billing
from nexa_core.actor import Actor
from tests.promises.matrix_rows import (
    ADMIN,
    LOOKING,
    PLATFORM,
    REASON,
    Expect,
    Place,
    Route,
    Row,
    here,
    platform,
)

#: Who reads what an organization pays.
PAYS = frozenset({"billing", "owner"}) | LOOKING


def _paid(to_change: bool = False) -> Expect:
    """A customer's owner and billing contact at home, the platform's people elsewhere; the platform pays nothing."""

    def expect(who: str, where: str) -> str:
        if who in PLATFORM:
            return "hidden" if where == "own" else "may"
        if where != "own" or who == "ex-member":
            return "hidden"
        if to_change:
            return "forbidden"
        return "may" if who in PAYS else "forbidden"

    return expect


def _reads(verb: Callable[..., Any], **more: Any) -> Row:
    return Row(here(verb, **more), expect=_paid())


def _writes_a_file(verb: Callable[..., Any], **more: Any) -> Row:
    """An export is kept in the log, so who looks with somebody else's eyes makes none."""

    def expect(who: str, where: str) -> str:
        found = _paid()(who, where)
        return "forbidden" if found == "may" and who in LOOKING else found

    def call(actor: Actor, place: Place) -> None:
        verb(actor, organization_id=place.organization, **more).close()

    return Row(call, expect=expect)


def _draft() -> billing.Draft:
    plan = billing.PLANS["starter"]
    return billing.Draft(
        "starter", "Starter", dt.datetime.now(dt.UTC) + dt.timedelta(days=40), 5_900, 1_200, 600, 100, 10, 600,
        plan.prices or {}, {}, plan.features,
    )  # fmt: skip


def _by_slug(actor: Actor, place: Place) -> Any:
    return billing.organization_of(actor, slug=place.slug)


def _finding(who: str, where: str) -> str:
    """The platform's own organization is found: that it pays nothing is said by what is asked next."""
    return "may" if who in PLATFORM else _paid()(who, where)


VERBS: dict[str, Row] = {
    "billing.invoice": _reads(billing.invoice),
    "billing.invoices": _reads(billing.invoices),
    "billing.periods": _reads(billing.periods),
    "billing.line_events": _reads(billing.line_events, period=None, line="included"),
    "billing.rehearse": _reads(billing.rehearse),
    "billing.plan_fit": _reads(billing.plan_fit),
    "billing.terms": _reads(billing.terms),
    "billing.organization_of": Row(_by_slug, expect=_finding),
    "billing.export_invoice": _writes_a_file(billing.export_invoice, form="csv"),
    "billing.export_events": _writes_a_file(billing.export_events, period=None, line="included"),
    "billing.issue_credit": Row(
        here(billing.issue_credit, period=dt.date.today().strftime("%Y-%m"), amount_minor=1, reason=REASON),
        expect=_paid(to_change=True),
    ),
    "billing.plan_fits": platform(lambda a, _: billing.plan_fits(a), PAYS | PLATFORM),
    "billing.plan_versions": platform(lambda a, _: billing.plan_versions(a)),
    "billing.preview_version": platform(lambda a, _: billing.preview_version(a, draft=_draft())),
    "billing.schedule_version": platform(lambda a, _: billing.schedule_version(a, draft=_draft(), reason=REASON)),
    "billing.withdraw_version": Row(
        lambda a, p: billing.withdraw_version(a, version_id=p.organization, reason=REASON),
        expect=lambda who, where: "hidden" if who in ADMIN else "forbidden",
    ),
    "billing.agree_prices": Row(
        here(billing.agree_prices, currency="EUR", prices={"price_minor": 4_000}, reason=REASON),
        expect=lambda who, where: ("hidden" if where == "own" else "may") if who in ADMIN else "forbidden",
    ),
}  # fmt: skip


def _at(path: str) -> Callable[[Place], str]:
    return lambda place: f"/billing/{path.format(organization=place.organization)}"


ROUTES: dict[str, Route] = {
    "GET /billing/invoices/{organization_id:uuid}": Route("billing.invoices", _at("invoices/{organization}")),
    "GET /billing/invoices/{organization_id:uuid}/invoice": Route(
        "billing.invoice", _at("invoices/{organization}/invoice")
    ),
    "GET /billing/invoices/{organization_id:uuid}/file": Route(
        "billing.export_invoice", _at("invoices/{organization}/file?form=csv")
    ),
    "GET /billing/invoices/{organization_id:uuid}/events": Route(
        "billing.line_events", _at("invoices/{organization}/events?line=included")
    ),
    "GET /billing/invoices/{organization_id:uuid}/events.csv": Route(
        "billing.export_events", _at("invoices/{organization}/events.csv?line=included")
    ),
    "POST /billing/invoices/{organization_id:uuid}/credits": Route(
        "billing.issue_credit", _at("invoices/{organization}/credits"),
        {"period": dt.date.today().strftime("%Y-%m"), "amount_minor": 1, "reason": REASON},
    ),
    "POST /billing/rehearsals/{organization_id:uuid}": Route("billing.rehearse", _at("rehearsals/{organization}"), {}),
    "GET /billing/plan-fit/{organization_id:uuid}": Route("billing.plan_fit", _at("plan-fit/{organization}")),
}  # fmt: skip
