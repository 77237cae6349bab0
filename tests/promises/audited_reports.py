"""What the reports leave in the audit log: files that were taken away, and reasons that were put off."""

from __future__ import annotations

import datetime as dt

from nexa_core.billing import reports
from tests.promises.audited_rows import Case, EndpointCase, Entry, Stage, reads

DOMAIN = reports
NO_VERBS = {"reports.before", "reports.latest", "reports.month", "reports.word", "reports.forecast_on"}
_EXPORTED: Entry = ("usage.exported", "organization")
_ROOT = "root@nexa.example"


def _put_off(stage: Stage) -> None:
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2)
    reports.put_off(stage.root, organization_id=stage.northwind, kind="drop", until=tomorrow)


CASES: dict[str, Case] = {
    "reports.burn": Case(lambda s, _: reports.burn(s.ada)),
    "reports.breakdown": Case(lambda s, _: reports.breakdown(s.ada, by="session")),
    "reports.hours": Case(lambda s, _: reports.hours(s.ada)),
    "reports.events": Case(lambda s, _: reports.events(s.ada)),
    "reports.track_record": Case(lambda s, _: reports.track_record(s.ada)),
    "reports.watched": Case(lambda s, _: reports.watched(s.ada)),
    "reports.find": Case(lambda s, _: reports.find(s.root, slug="northwind")),
    "reports.portfolio": Case(lambda s, _: reports.portfolio(s.root)),
    "reports.revenue": Case(lambda s, _: reports.revenue(s.root)),
    "reports.by_day": Case(lambda s, _: reports.by_day(s.root)),
    "reports.customers": Case(lambda s, _: reports.customers(s.root)),
    "reports.portfolio_record": Case(lambda s, _: reports.portfolio_record(s.root)),
    "reports.tags": Case(lambda s, _: reports.tags(s.root)),
    "reports.managers": Case(lambda s, _: reports.managers(s.root)),
    "reports.brief": Case(lambda s, _: reports.brief(s.root)),
    "reports.refresh_outlooks": Case(lambda s, _: reports.refresh_outlooks(s.root)),
    "reports.remember_forecasts": Case(lambda s, _: reports.remember_forecasts(s.root, [])),
    "reports.export_events": Case(lambda s, _: list(reports.export_events(s.ada)), (_EXPORTED,)),
    "reports.export_organization_days": Case(lambda s, _: list(reports.export_organization_days(s.ada)), (_EXPORTED,)),
    "reports.export_customers": Case(lambda s, _: list(reports.export_customers(s.root)), (_EXPORTED,)),
    "reports.export_days": Case(lambda s, _: list(reports.export_days(s.root, form="xlsx")), (_EXPORTED,)),
    "reports.put_off": Case(lambda s, _: _put_off(s), (("brief.put_off", "brief_pause"),)),
    "reports.take_up": Case(
        lambda s, _: reports.take_up(s.root, organization_id=s.northwind, kind="drop"),
        (("brief.taken_up", "brief_pause"),),
        _put_off,
    ),
}
STATEMENTS: dict[str, list[tuple[str, str]]] = {
    "brief_pauses": [
        (
            "nexa_staff",
            "INSERT INTO brief_pauses (organization_id, user_id, kind, paused_until)"
            " VALUES (%(org)s, %(me)s, 'drop', '2030-01-01')",
        ),
        ("nexa_staff", "UPDATE brief_pauses SET paused_until = '2030-02-01'"),
        ("nexa_staff", "DELETE FROM brief_pauses"),
    ],
}
ENDPOINTS: dict[str, EndpointCase] = {
    **{f"GET /usage/{path}": reads(f"/api/usage/{path}")
       for path in ("summary", "breakdown", "hours", "track-record", "events", "watched")},
    **{f"GET /usage/{path}": reads(f"/api/usage/{path}", _EXPORTED)
       for path in ("events.csv", "events.xlsx", "days.csv", "days.xlsx")},
    **{f"GET /usage/{path}": reads(f"/api/usage/{path}", email=_ROOT)
       for path in ("portfolio", "revenue", "by-day", "customers")},
    **{f"GET /usage/{path}": reads(f"/api/usage/{path}", _EXPORTED, email=_ROOT)
       for path in ("customers.csv", "customers.xlsx", "by-day.csv", "by-day.xlsx")},
}  # fmt: skip
