"""Reports: what customers use and pay, across a portfolio and for one of them, and where that leads."""

from nexa_core.billing.reports.breakdown import PARTS, Hour, Part, breakdown, hours
from nexa_core.billing.reports.brief import Brief, Call, Pause, Why, brief, put_off, take_up
from nexa_core.billing.reports.customer import Burn, burn, find
from nexa_core.billing.reports.customers import SORTS, Customer, CustomerPage, customers
from nexa_core.billing.reports.events import Event, EventFilter, EventPage, events
from nexa_core.billing.reports.export import (
    export_customers,
    export_days,
    export_events,
    export_organization_days,
)
from nexa_core.billing.reports.outlooks import KEPT_DAYS, forecast_on, refresh_outlooks, remember_forecasts
from nexa_core.billing.reports.periods import before, latest, month, word
from nexa_core.billing.reports.portfolio import (
    OTHERS,
    SPLITS,
    Money,
    Point,
    Summary,
    by_day,
    managers,
    portfolio,
    revenue,
    tags,
)
from nexa_core.billing.reports.scope import Wanted
from nexa_core.billing.reports.track import Prediction, TrackRecord, portfolio_record, track_record
from nexa_core.billing.reports.watched import Watched, WouldRefuse, watched

__all__ = [
    "KEPT_DAYS",
    "OTHERS",
    "PARTS",
    "SORTS",
    "SPLITS",
    "Brief",
    "Burn",
    "Call",
    "Customer",
    "CustomerPage",
    "Event",
    "EventFilter",
    "EventPage",
    "Hour",
    "Money",
    "Part",
    "Pause",
    "Point",
    "Prediction",
    "Summary",
    "TrackRecord",
    "Wanted",
    "Watched",
    "Why",
    "WouldRefuse",
    "before",
    "breakdown",
    "brief",
    "burn",
    "by_day",
    "customers",
    "events",
    "export_customers",
    "export_days",
    "export_events",
    "export_organization_days",
    "find",
    "forecast_on",
    "hours",
    "latest",
    "managers",
    "month",
    "portfolio",
    "portfolio_record",
    "put_off",
    "refresh_outlooks",
    "remember_forecasts",
    "revenue",
    "tags",
    "take_up",
    "track_record",
    "watched",
    "word",
]
