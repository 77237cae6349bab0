"""The words of each customer's trade: what turns one blueprint into twelve different projects. All clients are invented."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Industry:
    """Nouns in the plural or singular as the name says; ``rules`` and ``peak`` complete a sentence."""

    label: str
    person: str
    people: str
    staff: str
    record: str
    records: str
    core: str
    sites: str
    partners: str
    asset: str
    assets: str
    rules: str
    peak: str
    n_people: str
    n_day: str
    n_sites: str
    clients: tuple[str, ...]

    def words(self) -> dict[str, str]:
        """Every noun by its name, and once more with a capital: ``{people}`` and ``{People}``."""
        nouns = {name: value for name, value in asdict(self).items() if isinstance(value, str)}
        return nouns | {name.capitalize(): value[:1].upper() + value[1:] for name, value in nouns.items()}


INDUSTRIES: dict[str, Industry] = {
    "health": Industry(
        "Healthcare", "patient", "patients", "clinicians", "referral", "referrals", "hospital information system",
        "clinics", "laboratories", "infusion pump", "infusion pumps", "the rules on patient confidentiality",
        "Monday mornings in winter", "240,000", "9,500", "14",
        ("Harrowmere Clinics", "Oldwater Hospital Trust", "Saint Brannock Children's Unit", "Fernhollow Diagnostics",
         "Wexcombe Community Care"),
    ),
    "retail": Industry(
        "Retail", "shopper", "shoppers", "store staff", "order", "orders", "order management system",
        "stores", "suppliers", "freezer cabinet", "freezer cabinets", "the consumer protection rules",
        "the last two weeks of November", "1.8 million", "62,000", "210",
        ("Dapplewick Outfitters", "Pennyroyal Home", "Marblecombe Market", "Sunder & Vale Books", "Thistledown Kids"),
    ),
    "freight": Industry(
        "Logistics", "consignee", "consignees", "dispatchers", "consignment", "consignments",
        "transport management system", "depots", "carriers", "refrigerated trailer", "refrigerated trailers", "the customs and cabotage rules",
        "the evening sort between 18:00 and 23:00", "38,000", "21,000", "27",
        ("Ottermouth Ports", "Grauholt Spedition", "Bellwether Parcels", "Kranichsee Cold Chain", "Northmoss Rail Cargo"),
    ),
    "manufacturing": Industry(
        "Manufacturing", "dealer", "dealers", "production planners", "work order", "work orders",
        "production planning system", "plants", "part suppliers", "press", "presses", "the machinery safety rules",
        "the start of each shift", "5,200", "14,000", "6",
        ("Asanuma Bearing Works", "Torihata Precision", "Morikage Pumps", "Kirisaki Lighting", "Hoshinobe Robotics"),
    ),
    "food": Industry(
        "Food production", "buyer", "buyers", "quality inspectors", "batch", "batches", "recipe and batch system",
        "factories", "growers", "cold store", "cold stores", "the food traceability rules",
        "harvest, from March to May", "11,000", "4,800", "9",
        ("Fazenda Lobrega", "Verdamar Frozen", "Casa Timbaubal", "Pomarola Sul", "Quintal das Cabras Dairy"),
    ),
    "studios": Industry(
        "Games and media", "player", "players", "community managers", "match", "matches", "player account service",
        "regions", "content creators", "server rack", "server racks", "the youth protection rules",
        "the first weekend of a season", "3.1 million", "480,000", "5",
        ("Glasswing Games", "Paper Comet", "Saltlick Interactive", "Owl Hour Animation", "Foxfire Audio"),
    ),
    "insurance": Industry(
        "Insurance", "policyholder", "policyholders", "claims handlers", "claim", "claims", "policy administration system",
        "branches", "repair shops", "insured boiler", "insured boilers", "the rules on insurance distribution",
        "the days after a hailstorm", "640,000", "3,900", "32",
        ("Alpstein Vorsorge", "Bergmatt Sachversicherung", "Rheinwald Mutual", "Corvatal Reassurance", "Lauenen Pet Cover"),
    ),
    "university": Industry(
        "Higher education", "student", "students", "lecturers", "enrolment", "enrolments", "student information system",
        "campuses", "partner schools", "ventilation unit", "ventilation units", "the student privacy rules",
        "the two weeks before each term", "46,000", "7,200", "4",
        ("Faculty of Marine Science", "Bellbird College", "School of Built Environment", "Graduate Research Office",
         "Wattlebank Library"),
    ),
    "mining": Industry(
        "Mining", "contractor", "contractors", "shift supervisors", "haul", "hauls", "fleet management system",
        "pits", "equipment lessors", "haul truck", "haul trucks", "the mine health and safety rules",
        "shift change at 06:00 and 18:00", "3,400", "8,600", "5",
        ("Rooiklip Platinum", "Duiwelskop Manganese", "Swartvlei Chrome", "Kameelrug Iron", "Blouberge Processing"),
    ),
    "telecom": Industry(
        "Telecommunications", "subscriber", "subscribers", "field technicians", "service order", "service orders",
        "subscriber billing system", "exchanges", "tower operators", "cell site", "cell sites",
        "the number portability rules", "festival evenings", "2.6 million", "31,000", "118",
        ("Malhar Fibre", "Deccanet Wireless", "Saptarang Cable", "Vayupath Satellite", "Neelkanth Exchange"),
    ),
    "energy": Industry(
        "Energy", "household", "households", "network operators", "meter reading", "meter readings",
        "meter data management system", "substations", "installers", "transformer", "transformers",
        "the electricity market rules", "cold evenings in July", "310,000", "890,000", "74",
        ("Waimarama Lines", "Tuatea Hydro", "Kowhai Solar Co-op", "Southmark Retail Energy", "Rimutai Wind"),
    ),
    "public": Industry(
        "Public services", "resident", "residents", "case officers", "application", "applications", "case management system",
        "service centres", "neighbouring agencies", "street light", "street lights", "the public records rules",
        "the first working day of the month", "420,000", "2,700", "11",
        ("Department of Parks and Trees", "Housing Allocation Board", "Permit and Licence Office", "Harbourfront Council",
         "Civic Records Office"),
    ),
}
