"""The twelve customers of the demo world, each with a plot that a presenter can tell and the figures show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Plot = Literal[
    "growing", "overspending", "dormant", "past due", "trial ending", "just joined", "seasonal", "one big team",
    "suspended", "downgraded", "steady", "at the limit",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Customer:
    """``joined`` is days ago. ``people`` counts everybody whose first organization this is, invited ones too.

    ``events`` is how many usage events the plot has room for. ``manager`` is 0 or 1: whose customer it is.
    ``usage_limits`` goes over the plan, ``agreed_prices`` (minor units of ``currency``) over its price list;
    ``first_plan`` is what it began with, where that was another one.
    """

    slug: str
    name: str
    plot: Plot
    industry: str
    plan: str
    manager: int
    time_zone: str
    locale: str
    currency: str
    address: dict[str, str]
    tax_id: str
    colors: dict[str, str]
    joined: int
    people: int
    sessions: int
    events: int
    subscription_status: str = "active"
    usage_limits: dict[str, Any] = field(default_factory=dict)
    agreed_prices: dict[str, int] = field(default_factory=dict)
    first_plan: str | None = None
    invited: int = 0
    suspended_members: int = 0

    @property
    def domain(self) -> str:
        return f"{self.slug}.example"


#: Days ago at which a plot turns.
DORMANT_SINCE = 55
SUSPENDED_SINCE = 20
DOWNGRADED_SINCE = 65
UPGRADED_SINCE = 137
TRIAL_DAYS = 30
TRIAL_LEFT = 4


def _address(street: str, postal_code: str, city: str, country: str) -> dict[str, str]:
    return {"street": street, "postal_code": postal_code, "city": city, "country": country}


def _colors(primary: str, accent: str) -> dict[str, str]:
    return {"primary": primary, "accent": accent}


CUSTOMERS: tuple[Customer, ...] = (
    Customer(
        "brindlemoor", "Brindlemoor Health", "one big team", "health", "enterprise", 0, "Europe/London", "en-GB", "GBP",
        _address("4 Lantern Yard", "BM1 4QX", "Brindlemoor", "GB"), "GB 000 1204 77", _colors("#0B6E6E", "#F2A541"),
        joined=820, people=28, sessions=34, events=15_600, invited=2, suspended_members=1,
        usage_limits={
            "event_limits": {"pdf_export": 400}, "features": {"auto_join": True}, "support": {"hours": "24/7"},
        },
        agreed_prices={"price_minor": 119_000},
    ),
    Customer(
        "lumenfold", "Lumenfold Retail", "growing", "retail", "professional", 0, "America/New_York", "en-US", "USD",
        _address("1180 Quarter Mile Road", "00481", "Elmstead Falls", "US"), "US 00-4417720",
        _colors("#7A2E8E", "#F7C948"),
        joined=410, people=14, sessions=22, events=9_000, invited=1, first_plan="starter",
    ),
    Customer(
        "quarrowby", "Quarrowby Freight", "overspending", "freight", "starter", 0, "Europe/Berlin", "de-DE", "EUR",
        _address("Speicherzeile 12", "00231", "Quarrow", "DE"), "DE 000 331 902", _colors("#1F3A5F", "#E4572E"),
        joined=505, people=10, sessions=14, events=5_400, suspended_members=1,
    ),
    Customer(
        "pellidan", "Pellidan Manufacturing", "dormant", "manufacturing", "professional", 0,
        "Asia/Tokyo", "ja-JP", "JPY",
        _address("3-8 Kanamori", "000-0317", "Hoshide", "JP"), "JP 0004 1180 22", _colors("#B3202A", "#8D99AE"),
        joined=640, people=8, sessions=10, events=3_400,
    ),
    Customer(
        "sorrelby", "Sorrelby Foods", "past due", "food", "professional", 0, "America/Sao_Paulo", "pt-BR", "BRL",
        _address("Rua das Pitangueiras 77", "00415-020", "Vila Sorrel", "BR"), "BR 00.518.220",
        _colors("#2E7D32", "#FFB300"),
        joined=470, people=9, sessions=11, events=4_300,
    ),
    Customer(
        "nimbrook", "Nimbrook Studios", "trial ending", "studios", "professional", 0,
        "America/Los_Angeles", "en-US", "USD",
        _address("22 Cartwheel Alley", "00907", "Port Nimbrook", "US"), "US 00-9034411", _colors("#3D2C8D", "#00C2A8"),
        joined=TRIAL_DAYS - TRIAL_LEFT, people=6, sessions=7, events=900, subscription_status="trialing", invited=1,
    ),
    Customer(
        "halewind", "Halewind Mutual", "just joined", "insurance", "starter", 0, "Europe/Zurich", "de-CH", "CHF",
        _address("Obere Matte 5", "0041", "Halewil", "CH"), "CHE-000.441.190", _colors("#00539C", "#EEA47F"),
        joined=5, people=4, sessions=2, events=70, invited=1,
    ),
    Customer(
        "merrowgate", "Merrowgate University", "seasonal", "university", "professional", 1,
        "Australia/Sydney", "en-AU", "AUD",
        _address("Sandstone Walk 1", "0270", "Merrowgate", "AU"), "AU 00 614 337 020", _colors("#00563F", "#D4AF37"),
        joined=930, people=11, sessions=14, events=5_600,
    ),
    Customer(
        "tarnfell", "Tarnfell Minerals", "suspended", "mining", "professional", 1,
        "Africa/Johannesburg", "en-ZA", "ZAR",
        _address("9 Assay Street", "0039", "Tarnfell", "ZA"), "ZA 000 771 2204", _colors("#5C4033", "#F4B400"),
        joined=450, people=6, sessions=8, events=2_900,
    ),
    Customer(
        "kestrane", "Kestrane Telecom", "downgraded", "telecom", "professional", 1, "Asia/Kolkata", "en-IN", "INR",
        _address("41 Signal Hill Road", "000 218", "Kestrapur", "IN"), "IN 00KSTR0417Z", _colors("#D7263D", "#1B998B"),
        joined=560, people=8, sessions=11, events=4_200,
    ),
    Customer(
        "ostrevale", "Ostrevale Energy", "steady", "energy", "professional", 1, "Pacific/Auckland", "en-NZ", "NZD",
        _address("60 Turbine Terrace", "0612", "Ostrevale", "NZ"), "NZ 000-118-402", _colors("#14532D", "#38BDF8"),
        joined=700, people=9, sessions=10, events=4_800,
    ),
    Customer(
        "aldermist", "Aldermist City Services", "at the limit", "public", "starter", 1,
        "Asia/Singapore", "en-SG", "SGD",
        _address("100 Canopy Link", "000 118", "Aldermist", "SG"), "SG 00MIST118K", _colors("#274060", "#5DA9E9"),
        joined=480, people=7, sessions=7, events=6_400, usage_limits={"monthly_credits": 1_200, "hard": True},
    ),
)  # fmt: skip
