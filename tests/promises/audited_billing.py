"""What the verbs of billing leave in the audit log."""

from __future__ import annotations

import datetime as dt
from typing import Any

from nexa_core import billing
from tests.promises.audited_rows import Case, EndpointCase, Stage, bearer, reads

DOMAIN = billing
#: What stands at the front door and asks for nobody: pure functions.
NO_VERBS = {
    "billing.allowance", "billing.decimal", "billing.digits", "billing.is_hard", "billing.named_event",
    "billing.parsed", "billing.seats", "billing.written",
}  # fmt: skip
_MONTH = dt.date.today().strftime("%Y-%m")
_EXPORTED = ("invoice.exported", "invoice")


def _here(stage: Stage) -> dict[str, Any]:
    return {"organization_id": stage.northwind}


def _paying(stage: Stage) -> None:
    """Northwind pays for a plan, so that something can be given back."""
    billing.agree_prices(
        stage.root, organization_id=stage.northwind, currency="EUR", prices={"price_minor": 5_000}, reason="agreed"
    )


def _draft(days: int = 40) -> billing.Draft:
    plan = billing.PLANS["starter"]
    return billing.Draft(
        "starter", "Starter", dt.datetime.now(dt.UTC) + dt.timedelta(days=days), 5_900, 1_200, 600, 100, 10, 600,
        plan.prices or {}, {}, plan.features,
    )  # fmt: skip


CASES: dict[str, Case] = {
    "billing.invoice": Case(lambda s, _: billing.invoice(s.ada, **_here(s))),
    "billing.invoices": Case(lambda s, _: billing.invoices(s.ada, **_here(s))),
    "billing.periods": Case(lambda s, _: billing.periods(s.ada, **_here(s))),
    "billing.line_events": Case(lambda s, _: billing.line_events(s.ada, **_here(s), period=None, line="included")),
    "billing.rehearse": Case(lambda s, _: billing.rehearse(s.ada, **_here(s))),
    "billing.plan_fit": Case(lambda s, _: billing.plan_fit(s.ada, **_here(s))),
    "billing.terms": Case(lambda s, _: billing.terms(s.ada, **_here(s))),
    "billing.plan_fits": Case(lambda s, _: billing.plan_fits(s.root)),
    "billing.organization_of": Case(lambda s, _: billing.organization_of(s.root, slug="northwind")),
    "billing.plan_versions": Case(lambda s, _: billing.plan_versions(s.root)),
    "billing.preview_version": Case(lambda s, _: billing.preview_version(s.root, draft=_draft())),
    "billing.schedule_version": Case(
        lambda s, _: billing.schedule_version(s.root, draft=_draft(), reason="dearer"),
        (("plan.scheduled", "plan_version"),),
    ),
    "billing.withdraw_version": Case(
        lambda s, version: billing.withdraw_version(s.root, version_id=version.id, reason="not yet"),
        (("plan.withdrawn", "plan_version"),),
        lambda s: billing.schedule_version(s.root, draft=_draft(), reason="dearer"),
    ),
    "billing.agree_prices": Case(lambda s, _: _paying(s), (("organization.prices_agreed", "organization"),)),
    "billing.issue_credit": Case(
        lambda s, _: billing.issue_credit(s.root, **_here(s), period=_MONTH, amount_minor=5, reason="an outage"),
        (("invoice.credited", "credit_note"),),
        _paying,
    ),
    "billing.export_invoice": Case(lambda s, _: billing.export_invoice(s.ada, **_here(s)).close(), (_EXPORTED,)),
    "billing.export_events": Case(
        lambda s, _: billing.export_events(s.ada, **_here(s), period=None, line="included").close(), (_EXPORTED,)
    ),
}

_ONE = "/api/billing/invoices/{northwind}"
ENDPOINTS: dict[str, EndpointCase] = {
    "GET /billing/invoices/{organization_id:uuid}": reads(_ONE),
    "GET /billing/invoices/{organization_id:uuid}/invoice": reads(_ONE + "/invoice"),
    "GET /billing/invoices/{organization_id:uuid}/file": reads(_ONE + "/file?form=xlsx", _EXPORTED),
    "GET /billing/invoices/{organization_id:uuid}/events": reads(_ONE + "/events?line=included"),
    "GET /billing/invoices/{organization_id:uuid}/events.csv": reads(_ONE + "/events.csv?line=included", _EXPORTED),
    "GET /billing/plan-fit/{organization_id:uuid}": reads("/api/billing/plan-fit/{northwind}"),
    "POST /billing/invoices/{organization_id:uuid}/credits": EndpointCase(
        lambda client, stage, header: client.post(
            _ONE.format(northwind=stage.northwind) + "/credits", headers=header,
            json={"period": _MONTH, "amount_minor": 5, "reason": "an outage"},
        ),
        (("invoice.credited", "credit_note"),),
        lambda stage: (_paying(stage), bearer(stage, "root@nexa.example"))[1],
    ),
    "POST /billing/rehearsals/{organization_id:uuid}": EndpointCase(
        lambda client, stage, header: client.post(
            f"/api/billing/rehearsals/{stage.northwind}", headers=header, json={"monthly_credits": 5}
        ),
        (),
        bearer,
    ),
}  # fmt: skip

STATEMENTS: dict[str, list[tuple[str, str]]] = {
    "plan_versions": [
        (
            "nexa_staff",
            "INSERT INTO plan_versions (plan, effective_from, name, price_minor, monthly_credits, overage_minor,"
            " overage_credits) VALUES ('starter', 'infinity', 'Starter', 1, 1, 1, 1)",
        ),
        ("nexa_staff", "DELETE FROM plan_versions WHERE effective_from = 'infinity'"),
    ],
    "credit_notes": [
        (
            "nexa_staff",
            "INSERT INTO credit_notes (organization_id, period_start, amount_minor, currency, reason)"
            " VALUES (%(org)s, '2026-01-01', 1, 'EUR', 'an outage')",
        ),
    ],
}
