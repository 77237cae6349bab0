"""/api/billing: invoices, the events behind their lines, and what another plan would have meant."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from nexa_core import billing
from nexa_core.actor import Actor
from nexa_core.api import downloads
from nexa_core.api.endpoint import Body, get, post

_ONE = "/billing/invoices/{organization_id:uuid}"


class When(Body):
    """A period as 2026-11; without it, the one that is running."""

    period: Annotated[str, Field(max_length=7)] | None = None


class Latest(Body):
    limit: Annotated[int, Field(ge=1, le=36)] = 13


class File(When):
    form: Literal["pdf", "csv", "xlsx"] = "pdf"


class Behind(When):
    line: Annotated[str, Field(max_length=100)]
    after: Annotated[str, Field(max_length=300)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class BehindAll(When):
    line: Annotated[str, Field(max_length=100)]


class Limits(When):
    """Limits of one's own to replay the period against, besides every plan of the list."""

    monthly_credits: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    event_limits: dict[str, int] = {}


class Credit(Body):
    """``amount_minor`` is what is given back, in the invoice's currency; once for each ``idempotency_key``."""

    period: Annotated[str, Field(max_length=7)]
    amount_minor: int
    reason: Annotated[str, Field(max_length=1_000)]
    kind: Literal["credit", "refund"] = "credit"
    idempotency_key: Annotated[str, Field(min_length=1, max_length=255)] | None = None


@get(_ONE, "What the latest periods come to")
def list_invoices(actor: Actor, organization_id: UUID, query: Latest) -> tuple[billing.InvoiceTotal, ...]:
    return billing.invoices(actor, organization_id=organization_id, limit=query.limit)


@get(_ONE + "/invoice", "One invoice, line by line")
def get_invoice(actor: Actor, organization_id: UUID, query: When) -> dict[str, Any]:
    found = billing.invoice(actor, organization_id=organization_id, period=query.period)
    names = ("number", "organization_id", "name", "slug", "period", "currency", "plan", "allowance", "used", "overage",
             "total_minor", "lines")  # fmt: skip
    return {name: getattr(found, name) for name in names} | {"rounding": billing.ROUNDING}


@get(_ONE + "/file", "One invoice as PDF, CSV or XLSX")
def invoice_file(actor: Actor, organization_id: UUID, query: File) -> Response:
    file = billing.export_invoice(actor, organization_id=organization_id, period=query.period, form=query.form)
    return downloads.read(file, f"invoice-{query.period or 'running'}.{query.form}")


@get(_ONE + "/events", "The usage events behind a line, a page at a time")
def list_line_events(actor: Actor, organization_id: UUID, query: Behind) -> billing.EventPage:
    return billing.line_events(actor, organization_id=organization_id, **query.model_dump())


@get(_ONE + "/events.csv", "Every usage event behind a line, as CSV")
def line_events_file(actor: Actor, organization_id: UUID, query: BehindAll) -> Response:
    file = billing.export_events(actor, organization_id=organization_id, period=query.period, line=query.line)
    return downloads.read(file, f"events-{query.period or 'running'}.csv")


@post(_ONE + "/credits", "Give money back for a period")
def create_credit(actor: Actor, organization_id: UUID, body: Credit) -> billing.Credited:
    return billing.issue_credit(actor, organization_id=organization_id, **body.model_dump())


@post("/billing/rehearsals/{organization_id:uuid}", "Replay a period against every plan")
def rehearse_limits(actor: Actor, organization_id: UUID, body: Limits) -> billing.Rehearsal:
    return billing.rehearse(actor, organization_id=organization_id, **body.model_dump())


@get("/billing/plan-fit/{organization_id:uuid}", "Which plan would have cost least last month")
def get_plan_fit(actor: Actor, organization_id: UUID) -> billing.PlanFit:
    return billing.plan_fit(actor, organization_id=organization_id)


ENDPOINTS = (
    list_invoices,
    get_invoice,
    invoice_file,
    list_line_events,
    line_events_file,
    create_credit,
    rehearse_limits,
    get_plan_fit,
)
