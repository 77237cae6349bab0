"""What customers pay for: plans and allowances, invoices, and what another plan would have meant."""

from nexa_core.billing.catalogue import (
    SOMEWHERE,
    Affected,
    Draft,
    Version,
    plan_versions,
    preview_version,
    schedule_version,
    withdraw_version,
)
from nexa_core.billing.credit_notes import Credited, issue_credit
from nexa_core.billing.export import export_events, export_invoice
from nexa_core.billing.fit import PlanFit, plan_fit, plan_fits
from nexa_core.billing.invoices import (
    ROUNDING,
    Invoice,
    InvoiceTotal,
    invoice,
    invoices,
    organization_of,
    periods,
)
from nexa_core.billing.line_events import EventPage, LineEvent, line_events
from nexa_core.billing.lines import Line, named_event
from nexa_core.billing.money import decimal, digits, parsed, written
from nexa_core.billing.periods import Period
from nexa_core.billing.plans import PLANS, Plan, Subscriber, allowance, is_hard, seats
from nexa_core.billing.rehearsal import CUSTOM, Blocked, Outcome, Rehearsal, rehearse
from nexa_core.billing.terms import PRICES, Terms, agree_prices, terms

__all__ = [
    "CUSTOM",
    "PLANS",
    "PRICES",
    "ROUNDING",
    "SOMEWHERE",
    "Affected",
    "Blocked",
    "Credited",
    "Draft",
    "EventPage",
    "Invoice",
    "InvoiceTotal",
    "Line",
    "LineEvent",
    "Outcome",
    "Period",
    "Plan",
    "PlanFit",
    "Rehearsal",
    "Subscriber",
    "Terms",
    "Version",
    "agree_prices",
    "allowance",
    "decimal",
    "digits",
    "export_events",
    "export_invoice",
    "invoice",
    "invoices",
    "is_hard",
    "issue_credit",
    "line_events",
    "named_event",
    "organization_of",
    "parsed",
    "periods",
    "plan_fit",
    "plan_fits",
    "plan_versions",
    "preview_version",
    "rehearse",
    "schedule_version",
    "seats",
    "terms",
    "withdraw_version",
    "written",
]
