"""Blueprints for what data becomes: platforms, streams, one truth, documents that read themselves, forecasts."""

# ruff: noqa: E501 - prose: one thought a line reads better than strings cut in two
# fmt: off

from nexa_core.demo.blueprints.blueprint import Blueprint, Component, Need, Note, Package

PLATFORM = Blueprint(
    key="platform",
    title="Data platform for {records}",
    goal="One place where the figures about {records} agree, fresh by breakfast, and every figure can be traced to its rows.",
    tags=("data", "analytics", "governance"),
    components=(
        Component("extract", "Extraction jobs", "Change capture from {core} and nightly files.", "cloud_download"),
        Component("lake", "Raw zone", "Object storage, append-only, by day of arrival.", "inventory_2"),
        Component("transform", "Transformation", "Tested SQL models, versioned, in layers.", "transform"),
        Component("warehouse", "Warehouse", "Columnar store with facts and dimensions.", "database"),
        Component("catalogue", "Catalogue", "Owner, meaning and lineage of every field.", "menu_book"),
        Component("report", "Reports", "Twelve agreed dashboards instead of two hundred files.", "monitoring"),
        Component("core", "{Core}", "The most important source.", "dns"),
    ),
    flows=(
        ("core", "extract", "changes"), ("extract", "lake", "files"), ("lake", "transform", "batches"),
        ("transform", "warehouse", "models"), ("warehouse", "report", "SQL"), ("transform", "catalogue", "lineage"),
    ),
    needs=(
        Need("One definition for each figure", "Defined once, in the model, owned by a named person.", "must",
             ("transform", "catalogue"), (("Figures can be traced", "From the dashboard to the rows in three clicks."),)),
        Need("Fresh by 06:30", "Yesterday's {records} are complete; lateness is announced, not discovered.", "must", ("extract", "transform")),
        Need("Rights by row", "Each of the {sites} sees its own {records} unless agreed otherwise.", "must", ("warehouse", "report")),
        Need("Tests stop bad data", "A failed test keeps yesterday's figures and says so.", "should", ("transform",)),
        Need("History is kept", "Dimensions keep former values; a report can be run as of any day.", "should", ("warehouse",)),
        Need("Open to analysts", "Read access with a budget and a nightly scratch area.", "could", ("warehouse", "catalogue")),
    ),
    constraints=(
        Note("{Core} must not slow down", "Reading from a replica, never from the primary.", "must", ("extract", "core")),
        Note("{Rules}", "Erasure requests reach the raw zone within 30 days.", "must", ("lake",)),
    ),
    assumptions=(
        Note("{N_day} {records} a day for five years", "About two terabytes; three copies.", "should", ("lake",)),
        Note("Finance owns the definitions", "And decides within a week when two disagree.", "must", ("catalogue",)),
    ),
    integrations=(
        Note("{Core} change capture", "From the replica's log, with a full comparison every Sunday.", "must", ("core", "extract")),
        Note("Files of {partners}", "Agreed columns, checked on arrival, refused with a reason.", "should", ("extract",)),
    ),
    risks=(
        Note("Two totals on two screens", "Retire the old report on the day the new one is accepted.", "must", ("report",)),
        Note("A silent change at the source", "Contract tests and an alert on drift of counts.", "should", ("extract",)),
    ),
    packages=(
        Package("Definitions of the first twenty figures", "Written, owned, with the SQL that computes them.",
                ("Each figure has an owner and an example", "Differences to today's reports are explained"), ("catalogue", "transform")),
        Package("Pipeline from {core} to the warehouse", "Extraction, raw zone, models and tests.",
                ("Complete by 06:30 on 28 of 30 days", "Counts equal the source's on every day"),
                ("extract", "lake", "warehouse", "core")),
        Package("Twelve dashboards", "Built with their readers, with rights and lineage.",
                ("Opens within three seconds", "Ten readers find a given figure unaided"), ("report",)),
    ),
    excluded=("Cleaning data at the source", "Real-time figures", "Machine learning"),
)

STREAM = Blueprint(
    key="stream",
    title="Event backbone for {records}",
    goal="What happens to a {record} is known everywhere within seconds, and a new system connects without touching the old ones.",
    tags=("events", "streaming", "integration"),
    components=(
        Component("outbox", "Outbox in {core}", "Events in the same transaction as the change.", "outbox"),
        Component("broker", "Event broker", "Three nodes, topics by kind of {record}, kept for 14 days.", "hub"),
        Component("registry", "Schema registry", "Compatible changes only, checked in the pipeline.", "schema"),
        Component("views", "Read models", "Small stores that answer one question fast.", "view_list"),
        Component("bridge", "Partner bridge", "Signed webhooks for {partners}.", "webhook"),
        Component("watch", "Lag monitor", "Alarm at one minute behind.", "speed"),
    ),
    flows=(
        ("outbox", "broker", "publish"), ("broker", "registry", "check schema"), ("broker", "views", "consume"),
        ("broker", "bridge", "consume"), ("watch", "broker", "measure lag"),
    ),
    needs=(
        Need("Nothing is lost, nothing twice", "At least once on the wire, once in effect.", "must", ("outbox", "broker", "views"),
             (("Replay from any day", "A read model is rebuilt from 14 days of events within an hour."),)),
        Need("Seconds, not nights", "95 % of events arrive everywhere within three seconds.", "must", ("broker", "views")),
        Need("Schemas grow safely", "Consumers of last year's schema keep working.", "must", ("registry",)),
        Need("{Partners} subscribe themselves", "With keys, filters and a test feed.", "should", ("bridge",)),
        Need("Lag is visible", "A dashboard and an alarm for each consumer.", "must", ("watch",)),
        Need("Erase a person", "Personal fields are encrypted by person; the key is thrown away.", "should", ("broker", "registry")),
    ),
    constraints=(
        Note("No change to {core} beyond one table", "The maker supports the outbox table and nothing more.", "must", ("outbox",)),
        Note("{Rules}", "Events with personal data stay within the country.", "must", ("broker",)),
    ),
    assumptions=(
        Note("Peak of 2,500 events a second", "Seen during {peak}; designed for four times that.", "should", ("broker",)),
        Note("The operations team takes over", "Two engineers join from the first sprint.", "must", ("watch",)),
    ),
    integrations=(
        Note("{Core} outbox", "Polled every 200 ms, in order by {record}.", "must", ("outbox",)),
        Note("Webhooks to {partners}", "Signed, retried for three days, then parked with a message.", "should", ("bridge",)),
    ),
    risks=(
        Note("Order is assumed where there is none", "Key by {record}; test consumers with shuffled input.", "must", ("views",)),
        Note("The broker becomes the database", "Retention of 14 days is policy; state lives in read models.", "should", ("broker",)),
    ),
    packages=(
        Package("Event catalogue", "The first fifteen events, with schemas and owners.",
                ("Each event has an owner, an example and a consumer", "Schemas pass the compatibility check"), ("registry",)),
        Package("Backbone", "Outbox, broker and lag monitor in two environments.",
                ("A killed node loses no event", "Lag alarm fires within a minute in the drill"), ("outbox", "broker", "watch")),
        Package("Two read models and the bridge", "The two most wanted views, and webhooks for one pilot partner.",
                ("Rebuilt within an hour", "The pilot partner receives events for two weeks without a gap"), ("views", "bridge")),
    ),
    excluded=("Replacing nightly files of other systems", "Analytics on the stream", "Support of {partners} after the pilot"),
)

MASTER = Blueprint(
    key="master",
    title="One record for every {person}",
    goal="A {person} is known once: {staff} stop asking for what was told before, and no message goes out twice.",
    tags=("master data", "matching", "quality"),
    components=(
        Component("hub", "Master data hub", "The golden record and where each value came from.", "hub"),
        Component("match", "Matching service", "Rules first, scores second, people last.", "join_inner"),
        Component("steward", "Stewardship desk", "Pairs that a person must decide, worst first.", "person_search"),
        Component("feeds", "Feeds in and out", "Changes from five systems, golden records back.", "sync_alt"),
        Component("audit", "Change history", "Who merged what and why; every merge can be undone.", "history"),
        Component("core", "{Core}", "Asks the hub before it creates a {person}.", "dns"),
    ),
    flows=(
        ("core", "feeds", "changes"), ("feeds", "match", "candidates"), ("match", "hub", "certain matches"),
        ("match", "steward", "doubtful pairs"), ("steward", "hub", "decisions"), ("hub", "audit", "merges"),
    ),
    needs=(
        Need("Duplicates below one percent", "Measured on a sample of 2,000 each month.", "must", ("match", "hub")),
        Need("Every merge can be undone", "With all references, for two years.", "must", ("audit", "hub"),
             (("Reason for each merge", "Rule, score or steward, readable later."),)),
        Need("Search before create", "{Core} offers likely matches while {staff} type.", "must", ("core", "match")),
        Need("Doubtful pairs are decided in two days", "Queue with deputies and a weekly count.", "should", ("steward",)),
        Need("Source of each value", "The golden record shows which system said so, and when.", "should", ("hub",)),
        Need("Household view", "{People} at one address are linked, not merged.", "could", ("hub", "match")),
    ),
    constraints=(
        Note("{Rules}", "Matching uses only fields collected for that purpose.", "must", ("match",)),
        Note("Five systems keep their own keys", "The hub maps keys; it does not replace them.", "must", ("feeds",)),
    ),
    assumptions=(
        Note("{N_people} {people}", "With an estimated six percent duplicates today.", "should", ("hub",)),
        Note("Two stewards, half of their time", "Named before the matching goes live.", "must", ("steward",)),
    ),
    integrations=(
        Note("Five source systems", "Change feeds where there are any, nightly files elsewhere.", "must", ("feeds",)),
        Note("{Core} look-up", "Answers within 300 ms while typing.", "must", ("core", "match")),
    ),
    risks=(
        Note("Two people become one", "Certain matches need two independent identifiers.", "must", ("match",)),
        Note("Stewards drown", "Tune thresholds on a copy before the first live day.", "should", ("steward",)),
    ),
    packages=(
        Package("Data profile", "What is in the five systems, and how bad it is.",
                ("Each field has fill rate and format counts", "Duplicate rate known to half a percent"), ("feeds",)),
        Package("Matching and hub", "Golden records for one region, with undo.",
                ("Precision above 99.5 % on the labelled sample", "An undone merge restores every reference"),
                ("match", "hub", "audit")),
        Package("Search before create", "In {core}, for all {sites}.",
                ("Answers within 300 ms at the 95th percentile", "New duplicates fall by 80 % in a month"), ("core", "steward")),
    ),
    excluded=("Cleaning addresses abroad", "Consent management", "Replacing keys in source systems"),
)

DOCUMENTS = Blueprint(
    key="documents",
    title="Reading incoming documents for {records}",
    goal="Letters, forms and photos about {records} are read, filed and forwarded within minutes; {staff} check, they do not type.",
    tags=("ai", "documents", "automation"),
    components=(
        Component("intake", "Intake", "Post scanning, mailbox and upload in one stream.", "inbox"),
        Component("classify", "Classifier", "Twenty-two kinds of document, with a confidence.", "category"),
        Component("read", "Extraction service", "Fields with their place on the page.", "document_scanner"),
        Component("check", "Check desk", "Doubtful fields side by side with the image.", "fact_check"),
        Component("archive", "Archive", "Unchangeable, with retention by kind.", "archive"),
        Component("core", "{Core}", "Receives fields and the link to the image.", "dns"),
    ),
    flows=(
        ("intake", "classify", "pages"), ("classify", "read", "kind"), ("read", "check", "doubtful fields"),
        ("read", "core", "certain fields"), ("check", "core", "corrected fields"), ("intake", "archive", "original"),
    ),
    needs=(
        Need("Seven of ten without a hand", "No person touches a document whose fields are all certain.", "must", ("classify", "read")),
        Need("Errors below half a percent", "In fields that reach {core}; sampled weekly.", "must", ("read", "check"),
             (("Confidence for each field", "Thresholds by field, not by document."),
              ("Cross-checks", "Sums, dates and numbers are checked against {core}."))),
        Need("Minutes, not days", "Filed within ten minutes of arrival, also during {peak}.", "must", ("intake", "read")),
        Need("The original stays", "Image and extraction are kept together for the legal period.", "must", ("archive",)),
        Need("New kinds without a project", "{Staff} teach a new kind with thirty examples.", "should", ("classify", "check")),
        Need("Handwriting", "Numbers and dates first.", "could", ("read",)),
    ),
    constraints=(
        Note("{Rules}", "No document leaves the country; processing is logged.", "must", ("intake", "read")),
        Note("Scanning contract runs two more years", "Images arrive as 300 dpi in hourly batches.", "must", ("intake",)),
    ),
    assumptions=(
        Note("Three pages for a {record}", "On average, by last year's sample of 4,000.", "should", ("intake",)),
        Note("Labelled examples exist", "2,000 documents with correct fields, from the last audit.", "must", ("read",)),
    ),
    integrations=(
        Note("Scanning centre", "Hourly batches with a manifest; missing pages are noticed.", "must", ("intake",)),
        Note("{Core}", "Creates or extends a {record}, idempotent by document number.", "must", ("core",)),
    ),
    risks=(
        Note("{Staff} trust it too much", "Plant one known error in every hundred checks.", "should", ("check",)),
        Note("A new form breaks extraction", "Drift alarm by kind, and a fallback to the check desk.", "must", ("classify",)),
    ),
    packages=(
        Package("Measured baseline", "Kinds, volumes, error rates of today's typing.",
                ("1,000 documents labelled twice", "Cost of one document known"), ("intake",)),
        Package("Classifier and extraction", "For the eight most frequent kinds.",
                ("Seven of ten documents need no hand", "Field errors below 0.5 % on the test set"), ("classify", "read")),
        Package("Check desk and connection", "Screen, archive and {core} in production.",
                ("A doubtful field is decided in eight seconds at the median", "No page is lost in a week of counts"),
                ("check", "archive", "core")),
    ),
    excluded=("Outgoing letters", "Destroying paper", "Decisions on {records}"),
)

FORECAST = Blueprint(
    key="forecast",
    title="Forecast and planning of {records}",
    goal="The number of {records} is known a week ahead by site and day, so that {staff} and {assets} are where they are needed.",
    tags=("forecast", "planning", "optimization"),
    components=(
        Component("history", "History store", "Three years by site and hour, with calendars.", "history"),
        Component("forecast", "Forecast service", "Three models in competition, the best by site wins.", "trending_up"),
        Component("plan", "Planning service", "Turns demand into shifts and {assets} under rules.", "event_note"),
        Component("board", "Planning board", "Drag, lock, compare; shows what a change costs.", "dashboard"),
        Component("score", "Scoring job", "Every morning: how wrong were we yesterday?", "grading"),
        Component("core", "{Core}", "Gives actuals, takes plans.", "dns"),
    ),
    flows=(
        ("core", "history", "actuals"), ("history", "forecast", "series"), ("forecast", "plan", "demand with range"),
        ("plan", "board", "proposals"), ("board", "core", "released plan"), ("score", "forecast", "errors"),
    ),
    needs=(
        Need("Seven days ahead within ten percent", "Weighted error by site, against actuals, published daily.", "must", ("forecast", "score"),
             (("Always against the naive forecast", "Last week's same day is the bar to beat."),)),
        Need("Ranges, not only numbers", "80 % intervals that hold 80 % of the time.", "should", ("forecast",)),
        Need("Plans keep the rules", "Rest times, skills and opening hours are never broken.", "must", ("plan",)),
        Need("Planners have the last word", "Locked decisions survive a new run.", "must", ("board", "plan")),
        Need("A plan in five minutes", "For all {n_sites} {sites} and one week.", "should", ("plan",)),
        Need("What-if", "Compare two plans by cost and coverage.", "could", ("board",)),
    ),
    constraints=(
        Note("{Rules}", "Work rules are data, approved by the works council.", "must", ("plan",)),
        Note("No personal performance figures", "Forecasts stop at the team.", "must", ("history", "score")),
    ),
    assumptions=(
        Note("Three years of history", "Two for the newest {sites}.", "should", ("history",)),
        Note("{Peak}", "Explains most of the variance; calendars are known a year ahead.", "should", ("forecast",)),
    ),
    integrations=(
        Note("{Core} actuals", "Hourly, corrected for three days.", "must", ("core", "history")),
        Note("Calendar of events", "Holidays, campaigns and weather by site.", "should", ("history",)),
    ),
    risks=(
        Note("Nobody believes the machine", "Publish errors of both planner and model from the first day.", "must", ("score", "board")),
        Note("A year unlike the others", "Allow marking periods as exceptional.", "should", ("history",)),
    ),
    packages=(
        Package("Back-test", "Two years replayed, model against planners against naive.",
                ("Error by site and horizon is published", "A go or no-go is decided on it"), ("history", "forecast")),
        Package("Forecast in production", "Daily run with ranges and scores.",
                ("28 of 30 runs are ready by 05:00", "Beats the naive forecast at nine of ten {sites}"), ("forecast", "score", "core")),
        Package("Planning board", "Proposals, locks and release for the first three {sites}.",
                ("A week is planned within an hour", "No released plan breaks a rule"), ("plan", "board")),
    ),
    excluded=("Payroll", "Intraday replanning", "Hiring forecasts"),
)

BLUEPRINTS = (PLATFORM, STREAM, MASTER, DOCUMENTS, FORECAST)
