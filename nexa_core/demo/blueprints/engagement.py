"""Blueprints for what people outside touch: portals, apps, assistants, search, payments."""

# ruff: noqa: E501 - prose: one thought a line reads better than strings cut in two
# fmt: off

from nexa_core.demo.blueprints.blueprint import Blueprint, Component, Need, Note, Package

PORTAL = Blueprint(
    key="portal",
    title="{Person} self-service portal",
    goal="{People} settle most {records} themselves, at any hour, and {staff} get back the time they spend on the telephone.",
    tags=("portal", "web", "self-service"),
    components=(
        Component("web", "Portal web application", "Server-rendered pages that work on a five-year-old phone.", "web"),
        Component("gateway", "API gateway", "One entrance: rate limits, tokens, request logging.", "router"),
        Component("cases", "{Record} service", "Owns the life of a {record} from draft to closed.", "assignment"),
        Component("identity", "Identity provider", "Sign-in, second factor, recovery.", "passkey"),
        Component("notify", "Notification service", "E-mail and text messages with templates in three languages.", "notifications"),
        Component("store", "Portal database", "PostgreSQL with row-level security for each {person}.", "database"),
        Component("core", "{Core}", "Stays the system of record; reached through a queue.", "dns"),
    ),
    flows=(
        ("web", "gateway", "HTTPS"), ("gateway", "identity", "verify token"), ("gateway", "cases", "JSON"),
        ("cases", "store", "SQL"), ("cases", "core", "queued updates"), ("cases", "notify", "events"),
    ),
    needs=(
        Need("{People} see the state of their {records}", "Each {record} shows its state, the next step and who has it.", "must",
             ("web", "cases"), (("History of a {record}", "Every change with date and author, newest first."),
                                ("Plain-language states", "No more than seven states, each explained in one sentence."))),
        Need("{People} hand in a {record} online", "A guided form of at most five steps that can be left and resumed.", "must",
             ("web", "cases", "store"), (("Save and resume", "A draft survives for 30 days."),
                                         ("Attach documents", "Up to ten files of 20 MB, checked for malware."))),
        Need("Sign-in with a second factor", "Passkey or one-time code; recovery without calling {staff}.", "must", ("identity",)),
        Need("Messages on every change", "Within two minutes, on the channel the {person} chose.", "should", ("notify",)),
        Need("Bearable at the peak", "Pages answer within one second at the 95th percentile during {peak}.", "must", ("gateway", "web")),
        Need("Delegation", "A {person} may let somebody else act for them, for a limited time.", "could", ("identity", "cases")),
    ),
    constraints=(
        Note("{Core} stays the system of record", "The portal never holds the only copy of a {record}.", "must", ("core", "store")),
        Note("{Rules}", "Personal data stays in the country and every access is logged.", "must", ("store", "identity")),
    ),
    assumptions=(
        Note("{N_day} {records} a day", "The figure is from last year's counts and grows by 8 % a year.", "should", ("cases",)),
        Note("Two thirds will switch", "Two of three {people} use the portal within a year.", "could"),
    ),
    integrations=(
        Note("{Core} over a queue", "At-least-once delivery, idempotent by {record} number.", "must", ("cases", "core")),
        Note("Message provider", "E-mail and text messages through one contract, replaceable.", "should", ("notify",)),
    ),
    risks=(
        Note("{Core} is slower than people expect", "Answer from the portal's own copy and mark its age.", "must", ("core",)),
        Note("Support calls rise in the first month", "Co-browsing for {staff} and a week of floor-walking.", "should", ("web",)),
    ),
    packages=(
        Package("Clickable prototype", "The five most used journeys, tested with twelve {people}.",
                ("Ten of twelve testers finish each journey unaided", "Findings are ranked and agreed"), ("web",)),
        Package("{Record} service with its interface", "Service, interface description and contract tests.",
                ("All states and transitions are covered by tests", "Contract tests run against {core} in the pipeline"),
                ("cases", "gateway", "store", "core")),
        Package("Sign-in and messages", "Identity provider configured, templates approved.",
                ("Recovery works without {staff}", "A message leaves within two minutes of a change"), ("identity", "notify")),
        Package("Launch", "Load test, penetration test, go-live with a way back.",
                ("95th percentile below one second at twice the expected peak", "No open finding of high severity"),
                ("web", "gateway")),
    ),
    excluded=("Replacing {core}", "A native app", "Migration of {records} older than seven years"),
)

MOBILE = Blueprint(
    key="mobile",
    title="Mobile app for {staff}",
    goal="{Staff} finish a {record} where they stand, also without a network, and nothing is typed twice.",
    tags=("mobile", "offline", "field work"),
    components=(
        Component("app", "Field app", "One code base for phones and tablets, built for gloves and sunlight.", "smartphone"),
        Component("sync", "Synchronization service", "Merges changes by field and keeps both sides of a clash.", "sync"),
        Component("work", "Work list service", "Who does what today, in which order.", "checklist"),
        Component("media", "Photo and file store", "Object storage with short-lived links.", "photo_library"),
        Component("device", "Device management", "Enrolment, updates, remote wipe.", "mobile_friendly"),
        Component("core", "{Core}", "Gives the work and takes the result.", "dns"),
    ),
    flows=(
        ("app", "sync", "deltas"), ("sync", "work", "commands"), ("work", "core", "nightly and on change"),
        ("app", "media", "uploads"), ("device", "app", "policies"),
    ),
    needs=(
        Need("Works without a network", "A full shift of work is on the device; changes wait and are sent later.", "must",
             ("app", "sync"), (("Nothing is lost", "A change survives a crash and an empty battery."),
                               ("Clashes are shown", "Two edits of one field are put side by side, never overwritten."))),
        Need("The day's {records} in order", "Sorted by place and urgency, changeable by hand.", "must", ("work", "app")),
        Need("Photos with place and time", "Taken in the app, never in the phone's own gallery.", "should", ("media", "app")),
        Need("One hand, outdoors", "Targets of 12 mm, contrast above 7:1, no typing for the usual case.", "must", ("app",)),
        Need("Wipe within an hour", "A lost device is locked and emptied at its next contact.", "must", ("device",)),
        Need("Scan instead of type", "Codes on {assets} open the right {record}.", "could", ("app",)),
    ),
    constraints=(
        Note("Devices are three years old", "The slowest supported device sets the budget: start in two seconds.", "must", ("app",)),
        Note("{Rules}", "No personal data on the device after the shift ends.", "must", ("app", "media")),
    ),
    assumptions=(
        Note("{N_sites} {sites}", "All have mobile coverage at the gate, a third of them inside.", "should", ("sync",)),
        Note("One pilot site volunteers", "With a supervisor who has time for it.", "must"),
    ),
    integrations=(
        Note("{Core} interface", "Work orders out, results in; nightly file as the way back.", "must", ("work", "core")),
        Note("Single sign-on", "The existing directory, with shift-long sign-ins.", "must", ("app",)),
    ),
    risks=(
        Note("Paper lives on beside the app", "Take away the form on the day the app arrives, site by site.", "should", ("app",)),
        Note("Clashes nobody understands", "Test merging with real {staff} before building it.", "must", ("sync",)),
    ),
    packages=(
        Package("Day in the field", "Shadowing reports and a journey map from two {sites}.",
                ("Six shifts observed", "Top ten time losses named with minutes"), ("app",)),
        Package("App and synchronization", "Installable app with work list, offline changes and photos.",
                ("Eight hours without network lose nothing", "500 changes synchronize within one minute"),
                ("app", "sync", "work", "media")),
        Package("Pilot and hand-over", "Four weeks at one site, devices managed, trainers trained.",
                ("Nine of ten {records} finished in the app", "A lost device is wiped in the drill"), ("device", "core")),
    ),
    excluded=("Buying devices", "Coverage inside of buildings", "Time recording"),
)

ASSISTANT = Blueprint(
    key="assistant",
    title="Knowledge assistant for {staff}",
    goal="{Staff} get an answer with its source in seconds, from documents that today nobody finds.",
    tags=("ai", "retrieval", "knowledge"),
    components=(
        Component("chat", "Assistant in the intranet", "Question, answer, sources, thumbs.", "forum"),
        Component("orchestrator", "Conversation service", "Builds prompts, keeps turns, applies limits.", "account_tree"),
        Component("retriever", "Retrieval service", "Keyword and vector search over passages, filtered by rights.", "manage_search"),
        Component("index", "Passage index", "PostgreSQL with vectors; passages of 300 words with their place.", "database"),
        Component("loader", "Document loader", "Reads the shares every night, page by page.", "upload_file"),
        Component("model", "Language model endpoint", "Two models behind one interface: small first, large on demand.", "neurology"),
        Component("review", "Review board", "Weekly sample of answers, judged by {staff}.", "rate_review"),
    ),
    flows=(
        ("chat", "orchestrator", "question"), ("orchestrator", "retriever", "rewritten query"), ("retriever", "index", "top 20"),
        ("orchestrator", "model", "prompt with passages"), ("loader", "index", "passages"), ("orchestrator", "review", "samples"),
    ),
    needs=(
        Need("Every answer names its source", "With document, page and date; no source, no answer.", "must",
             ("orchestrator", "retriever"), (("Open at the page", "A click opens the document at the passage."),)),
        Need("Rights are those of the documents", "Nobody is shown a passage of a document they may not open.", "must",
             ("retriever", "index", "loader")),
        Need("Useful in nine of ten cases", "Judged weekly on 100 sampled questions.", "must", ("review", "orchestrator")),
        Need("First words within two seconds", "Streaming; the small model answers unless it is unsure.", "should", ("model", "chat")),
        Need("Costs are visible", "Credits per team and day, with a monthly cap.", "should", ("orchestrator",)),
        Need("Feedback improves the index", "A thumb down opens a task for the owner of the document.", "could", ("review", "loader")),
    ),
    constraints=(
        Note("No training on our data", "The contract for the model endpoint excludes it and logs are kept 30 days.", "must", ("model",)),
        Note("{Rules}", "Personal data is removed before a passage is indexed.", "must", ("loader", "index")),
    ),
    assumptions=(
        Note("180,000 pages in four shares", "Two thirds are text; the rest needs recognition.", "should", ("loader",)),
        Note("{Staff} can spare two hours a week", "For judging answers, in turns.", "must", ("review",)),
    ),
    integrations=(
        Note("Document shares", "Read-only, with access lists, every night.", "must", ("loader",)),
        Note("{Core} look-up", "Live state of a {record} as a tool of the assistant.", "could", ("orchestrator",)),
    ),
    risks=(
        Note("Confident and wrong", "Refuse without a passage above the threshold; show the passage beside the answer.", "must",
             ("orchestrator", "model")),
        Note("Documents contradict each other", "The newest approved one wins; the others are flagged to their owners.", "should", ("index",)),
        Note("Costs run away", "A hard monthly cap and the small model by default.", "should", ("model",)),
    ),
    packages=(
        Package("Question collection and baseline", "200 real questions with agreed answers, and the score of plain search.",
                ("Each question has an answer and a source", "The baseline is measured on the same set"), ("review",)),
        Package("Retrieval with rights", "Loader, index and retrieval, measured on its own.",
                ("The right passage is among the first five in 85 % of cases", "No passage leaks in 500 attempts"),
                ("loader", "index", "retriever")),
        Package("Assistant", "Conversation service and screen, with limits and feedback.",
                ("Nine of ten sampled answers are judged useful", "First words within two seconds at the median"),
                ("chat", "orchestrator", "model")),
    ),
    excluded=("Decisions about {records} without a person", "Fine-tuning a model", "Voice"),
)

PAYMENTS = Blueprint(
    key="payments",
    title="Payments and reconciliation for {records}",
    goal="{People} pay for {records} in one step, and the ledger balances every morning without spreadsheets.",
    tags=("payments", "ledger", "finance"),
    components=(
        Component("checkout", "Checkout", "Hosted fields, three steps, four payment methods.", "shopping_cart_checkout"),
        Component("payment", "Payment service", "One intent for each {record}; idempotent and resumable.", "payments"),
        Component("ledger", "Ledger", "Double entry in integer minor units, append-only.", "account_balance"),
        Component("recon", "Reconciliation job", "Matches bank statements and settlements each night.", "fact_check"),
        Component("fraud", "Risk rules", "Velocity and amount rules, tunable without a release.", "gpp_maybe"),
        Component("core", "{Core}", "Learns that a {record} is paid.", "dns"),
    ),
    flows=(
        ("checkout", "payment", "intent"), ("payment", "fraud", "score"), ("payment", "ledger", "entries"),
        ("recon", "ledger", "matches"), ("payment", "core", "paid event"),
    ),
    needs=(
        Need("Pay once, never twice", "A retry with the same key has the same outcome.", "must", ("payment",),
             (("Safe after a time-out", "The {person} sees the true state after a lost connection."),)),
        Need("Four payment methods", "Card, bank transfer, wallet and invoice, switchable by country.", "must", ("checkout", "payment")),
        Need("Balanced every morning", "Differences above one minor unit open a task before 07:00.", "must", ("recon", "ledger")),
        Need("Refund in parts", "By {staff}, with a reason and a second pair of eyes above a limit.", "should", ("payment", "ledger")),
        Need("Bearable at the peak", "Forty payments a second during {peak}.", "must", ("payment", "checkout")),
        Need("Saved methods", "A returning {person} pays with one confirmation.", "could", ("checkout",)),
    ),
    constraints=(
        Note("No card data on our machines", "Hosted fields only; the smallest possible assessment.", "must", ("checkout",)),
        Note("{Rules}", "Receipts are kept for ten years.", "must", ("ledger",)),
    ),
    assumptions=(
        Note("Average of 1.3 payments for a {record}", "Including refunds and second attempts.", "should", ("payment",)),
        Note("One settlement account a currency", "Opened before the build begins.", "must", ("recon",)),
    ),
    integrations=(
        Note("Payment provider", "Signed callbacks, replayed for three days on failure.", "must", ("payment",)),
        Note("Bank statements", "Daily file, structured remittance information.", "must", ("recon",)),
        Note("{Core}", "Paid and refunded events, each with the ledger entry.", "must", ("core", "payment")),
    ),
    risks=(
        Note("Callbacks arrive twice or late", "Idempotent handling and a nightly comparison with the provider.", "must", ("payment",)),
        Note("Rules refuse good {people}", "Watch refusals for two weeks before rules may block.", "should", ("fraud",)),
    ),
    packages=(
        Package("Ledger and payment service", "Entries, intents, refunds, with property tests.",
                ("Debits equal credits after 100,000 random operations", "A replayed callback changes nothing"),
                ("ledger", "payment")),
        Package("Checkout with risk rules", "Four methods, accessible, translated.",
                ("Paid in three steps at most", "Rules can be changed without a release"), ("checkout", "fraud")),
        Package("Morning reconciliation", "Nightly job, task list, report for finance.",
                ("30 days in a row balance to the minor unit", "A planted difference is found the next morning"),
                ("recon", "core")),
    ),
    excluded=("Tax advice", "Dunning letters", "Accounting for years before the go-live"),
)

BLUEPRINTS = (PORTAL, MOBILE, ASSISTANT, PAYMENTS)
