"""Blueprints for what keeps things running: connected assets, integration, identity, recovery, moving house."""

# ruff: noqa: E501 - prose: one thought a line reads better than strings cut in two
# fmt: off

from nexa_core.demo.blueprints.blueprint import Blueprint, Component, Need, Note, Package

TELEMETRY = Blueprint(
    key="telemetry",
    title="Condition monitoring of {assets}",
    goal="A failing {asset} is noticed days before it stops, and the repair is planned instead of rushed.",
    tags=("iot", "telemetry", "maintenance"),
    components=(
        Component("sensor", "Sensors on {assets}", "Vibration, temperature, current; a reading each ten seconds.", "sensors"),
        Component("edge", "Edge gateway", "Buffers three days, filters noise, updates itself.", "router"),
        Component("ingest", "Telemetry intake", "Authenticated by device, back-pressure instead of loss.", "input"),
        Component("series", "Time series store", "Full detail for 90 days, hours for ten years.", "show_chart"),
        Component("detect", "Anomaly detection", "Simple limits first, learned behaviour second.", "troubleshoot"),
        Component("alarm", "Alarm desk", "Deduplicated, explained, assigned.", "notification_important"),
        Component("core", "{Core}", "Receives maintenance requests.", "dns"),
    ),
    flows=(
        ("sensor", "edge", "fieldbus"), ("edge", "ingest", "MQTT over TLS"), ("ingest", "series", "batches"),
        ("series", "detect", "windows"), ("detect", "alarm", "findings"), ("alarm", "core", "maintenance request"),
    ),
    needs=(
        Need("Warn three days ahead", "For the four most expensive failures of {assets}.", "must", ("detect", "series")),
        Need("At most one false alarm a week and site", "Measured, and a reason to switch a rule off.", "must", ("detect", "alarm"),
             (("Alarms explain themselves", "Which reading, since when, compared with what."),)),
        Need("Nothing lost in an outage", "Three days without a line are delivered later, in order.", "must", ("edge", "ingest")),
        Need("Devices prove who they are", "A certificate each, renewed without a visit.", "must", ("edge", "ingest")),
        Need("From alarm to repair in one click", "With place, part and history.", "should", ("alarm", "core")),
        Need("Compare {assets}", "The same model across {sites}.", "could", ("series",)),
    ),
    constraints=(
        Note("No connection into the control network", "Data flows out through a one-way gateway.", "must", ("edge",)),
        Note("{Rules}", "Retrofits need approval for each kind of {asset}.", "must", ("sensor",)),
    ),
    assumptions=(
        Note("{N_sites} {sites}, forty {assets} each", "Half of them less than ten years old.", "should", ("sensor",)),
        Note("Failure history exists", "At least 60 documented failures of the last three years.", "must", ("detect",)),
    ),
    integrations=(
        Note("Fieldbus adapters", "Two protocols cover nine of ten {assets}.", "must", ("sensor", "edge")),
        Note("{Core}", "Maintenance requests out, repairs done in.", "must", ("core", "alarm")),
    ),
    risks=(
        Note("Alarms are ignored", "Start with one rule that is right, not with twenty.", "must", ("alarm",)),
        Note("Sensors drift", "Yearly calibration and a plausibility check across neighbours.", "should", ("sensor",)),
    ),
    packages=(
        Package("Ten instrumented {assets}", "Sensors, gateway and intake at one site.",
                ("Readings for 30 days with less than 0.1 % gaps", "An unplugged line for a day loses nothing"),
                ("sensor", "edge", "ingest")),
        Package("Detection of four failures", "Rules and models, tested on history.",
                ("Eight of ten past failures would have been announced", "At most one false alarm a week"), ("series", "detect")),
        Package("Alarm desk", "Screen, duty roster, request in {core}.",
                ("From alarm to request in under a minute", "{Staff} judge nine of ten alarms useful"), ("alarm", "core")),
    ),
    excluded=("Remote control of {assets}", "Spare part logistics", "Connections at {partners}"),
)

HUB = Blueprint(
    key="hub",
    title="Partner integration with {partners}",
    goal="A new partner is connected in days instead of months, and both sides see what was sent and what is stuck.",
    tags=("integration", "api", "partners"),
    components=(
        Component("portal", "Developer portal", "Guides, keys, a sandbox that answers like the real thing.", "developer_guide"),
        Component("gateway", "Partner gateway", "Keys, quotas, versions.", "router"),
        Component("mapper", "Mapping service", "Versioned mappings from their formats to ours.", "swap_horiz"),
        Component("queue", "Delivery queue", "Retries, order by {record}, a parking place.", "queue"),
        Component("monitor", "Message monitor", "What was sent, where it is, why it failed.", "monitor_heart"),
        Component("core", "{Core}", "Speaks one format to all {partners}.", "dns"),
    ),
    flows=(
        ("portal", "gateway", "keys"), ("gateway", "mapper", "messages"), ("mapper", "queue", "canonical form"),
        ("queue", "core", "delivers"), ("queue", "monitor", "states"),
    ),
    needs=(
        Need("Connected in five days", "From the first call to the first real {record}.", "must", ("portal", "mapper"),
             (("Sandbox with test cases", "Forty cases, passed before production."),)),
        Need("Old versions live for two years", "With counts of who still uses them.", "must", ("gateway",)),
        Need("See and resend", "{Staff} and {partners} find a message by {record} number and resend it.", "must", ("monitor", "queue")),
        Need("Quotas protect {core}", "One partner cannot slow down the others during {peak}.", "must", ("gateway", "queue")),
        Need("Files are welcome", "Partners without an interface send files by secure transfer.", "should", ("gateway", "mapper")),
        Need("Report of quality", "Monthly, by partner: volume, errors, delay.", "could", ("monitor",)),
    ),
    constraints=(
        Note("{Rules}", "Contracts name each field that is exchanged.", "must", ("mapper",)),
        Note("One canonical form", "Mappings may not reach into {core}.", "must", ("mapper", "core")),
    ),
    assumptions=(
        Note("Thirty {partners} in the first year", "Five of them make 80 % of the volume.", "should", ("gateway",)),
        Note("Two pilot partners take part", "With a named engineer each.", "must", ("portal",)),
    ),
    integrations=(
        Note("{Core}", "One inbound and one outbound interface, idempotent.", "must", ("core",)),
        Note("Secure file transfer", "For partners that stay with files.", "should", ("gateway",)),
    ),
    risks=(
        Note("Every partner is special", "Variants live in mappings and need a second reviewer.", "should", ("mapper",)),
        Note("Messages wait unseen", "Alarm on the age of the oldest parked message.", "must", ("queue", "monitor")),
    ),
    packages=(
        Package("Canonical model", "Eight messages, agreed with {core} and two {partners}.",
                ("Each field has a meaning and an example", "Both pilots sign it off"), ("mapper",)),
        Package("Gateway, queue and monitor", "In production with the first pilot.",
                ("A message is found by number within seconds", "One flooding partner does not delay the others"),
                ("gateway", "queue", "monitor", "core")),
        Package("Developer portal", "Guides, sandbox and test cases.",
                ("The second pilot connects in five days without help",), ("portal",)),
    ),
    excluded=("Changes at the {partners}' side", "Contracts and prices", "Analytics"),
)

IDENTITY = Blueprint(
    key="identity",
    title="Single sign-on and access reviews",
    goal="One sign-in for everything, rights that follow the job, and a review that takes managers ten minutes a quarter.",
    tags=("identity", "security", "compliance"),
    components=(
        Component("idp", "Identity provider", "Passkeys first, one session for all applications.", "passkey"),
        Component("directory", "Directory", "People and groups, fed by the staff system.", "badge"),
        Component("lifecycle", "Joiner, mover, leaver", "Rights by role, removed within an hour of leaving.", "transfer_within_a_station"),
        Component("review", "Access review", "Who has what, shown to the one who can judge it.", "rule"),
        Component("vault", "Privileged access", "Time-limited rights with a recorded reason.", "lock_clock"),
        Component("core", "{Core}", "First of eleven connected applications.", "dns"),
    ),
    flows=(
        ("directory", "idp", "people"), ("lifecycle", "directory", "changes"), ("idp", "core", "OpenID Connect"),
        ("review", "directory", "withdrawals"), ("vault", "core", "temporary rights"),
    ),
    needs=(
        Need("One sign-in a day", "For {staff}, on shared and personal devices.", "must", ("idp",),
             (("Shared workstations", "Tap to switch person in three seconds."),)),
        Need("Leavers lose everything within an hour", "Including sign-ins that are open.", "must", ("lifecycle", "idp")),
        Need("Reviews that are done", "95 % finished in two weeks, with doubtful rights on top.", "must", ("review",)),
        Need("No standing administrators", "Privileged rights for four hours, with a reason.", "must", ("vault",)),
        Need("Guests of {partners}", "Sponsored, expiring, never in the staff directory.", "should", ("directory", "idp")),
        Need("Recovery without a help desk", "Two colleagues vouch.", "could", ("idp",)),
    ),
    constraints=(
        Note("{Rules}", "Access to personal data is reviewed every quarter.", "must", ("review",)),
        Note("Eleven applications, four without a standard", "Those sign in through a proxy.", "must", ("idp",)),
    ),
    assumptions=(
        Note("The staff system is right", "Start and end dates are entered before they happen.", "must", ("directory",)),
        Note("Devices support passkeys", "Nine of ten; the rest get a hardware key.", "should", ("idp",)),
    ),
    integrations=(
        Note("Staff system", "Hourly feed of people, jobs and dates.", "must", ("directory", "lifecycle")),
        Note("{Core}", "OpenID Connect and a role mapping.", "must", ("core", "idp")),
    ),
    risks=(
        Note("Locked out on the first morning", "Waves of fifty, break-glass accounts, floor-walkers.", "must", ("idp",)),
        Note("Roles copy today's mess", "Mine rights, then design roles with the business.", "should", ("lifecycle",)),
    ),
    packages=(
        Package("Role model", "Forty roles for nine of ten people.",
                ("Each role has an owner", "Exceptions are below ten percent"), ("directory", "lifecycle")),
        Package("Single sign-on for eleven applications", "In waves, with training.",
                ("All eleven applications are connected", "Password resets fall by 70 %"), ("idp", "core")),
        Package("Reviews and privileged access", "First quarter done.",
                ("95 % of reviews finished in two weeks", "No standing administrator is left"), ("review", "vault")),
    ),
    excluded=("Network access", "Physical access cards", "Sign-in of {people}"),
)

RECOVERY = Blueprint(
    key="recovery",
    title="Disaster recovery for the {core}",
    goal="After the loss of a data centre {staff} work again within one hour, with at most one minute of {records} to repeat.",
    tags=("resilience", "operations", "cloud"),
    components=(
        Component("primary", "{Core} in the first region", "Runs as today, with log shipping.", "dns"),
        Component("standby", "Warm standby", "Second region, a minute behind, sized at half.", "backup"),
        Component("switch", "Traffic switch", "Names with short lifetimes and health checks.", "alt_route"),
        Component("backup", "Backups", "Daily full, continuous log, a copy nobody can delete.", "save"),
        Component("runbook", "Runbook automation", "One button with nine checked steps.", "playlist_add_check"),
        Component("drill", "Drill calendar", "Each quarter, unannounced once a year.", "event_repeat"),
    ),
    flows=(
        ("primary", "standby", "log shipping"), ("primary", "backup", "snapshots"), ("switch", "primary", "traffic"),
        ("runbook", "switch", "fail over"), ("runbook", "standby", "promote"), ("drill", "runbook", "exercises"),
    ),
    needs=(
        Need("Working again within one hour", "Recovery time of 60 minutes, proven in a drill.", "must", ("runbook", "standby", "switch"),
             (("Nine steps, one button", "Each step checks itself and can be repeated."),)),
        Need("At most one minute to repeat", "Recovery point of 60 seconds, measured all the time.", "must", ("standby",)),
        Need("A backup that survives an attacker", "Unchangeable for 35 days, in another account.", "must", ("backup",)),
        Need("Restore is tested weekly", "On a fresh machine, compared row by row.", "must", ("backup", "drill")),
        Need("The way back", "Return to the first region without loss.", "should", ("switch", "primary")),
        Need("Degraded, not dead", "{Sites} can read {records} while the switch runs.", "could", ("standby",)),
    ),
    constraints=(
        Note("Budget of 40 % of today's running costs", "Half-size standby, grown when promoted.", "must", ("standby",)),
        Note("{Rules}", "Both regions are within the country.", "must", ("standby", "backup")),
    ),
    assumptions=(
        Note("Write load below 400 a second", "Also during {peak}.", "should", ("primary",)),
        Note("Business owners take part in drills", "Two hours a quarter.", "must", ("drill",)),
    ),
    integrations=(
        Note("Monitoring", "Replication lag and backup age as alarms.", "must", ("standby", "backup")),
        Note("{Partners}' connections", "By name, never by address, so that they follow the switch.", "should", ("switch",)),
    ),
    risks=(
        Note("Both sides believe they are first", "Fencing before promotion; the runbook refuses without it.", "must", ("runbook",)),
        Note("The drill breaks production", "Begin on a copy, then in the quietest hour.", "should", ("drill",)),
    ),
    packages=(
        Package("Impact analysis", "What an hour costs, by function.",
                ("Recovery targets agreed and signed", "Dependencies of {core} are listed"), ("primary",)),
        Package("Standby and backups", "Second region running, backups unchangeable.",
                ("Lag below 60 seconds for 30 days", "A restore equals the original row by row"), ("standby", "backup")),
        Package("Runbook and two drills", "Automation, then proof.",
                ("Second drill within 60 minutes", "Findings of the first are closed"), ("runbook", "switch", "drill")),
    ),
    excluded=("Workplaces", "Telephony", "Systems other than {core}"),
)

MIGRATION = Blueprint(
    key="migration",
    title="Moving the {core} to the cloud",
    goal="The {core} leaves the old data centre before its contract ends, in steps that can each be taken back.",
    tags=("cloud", "migration", "modernization"),
    components=(
        Component("landing", "Landing zone", "Accounts, network, policies as code.", "foundation"),
        Component("pipeline", "Delivery pipeline", "Build once, promote through three stages.", "conveyor_belt"),
        Component("runtime", "Application runtime", "Containers behind a load balancer in two zones.", "deployed_code"),
        Component("data", "Managed database", "PostgreSQL with point-in-time recovery.", "database"),
        Component("link", "Private link", "To the {sites} and to what stays behind.", "lan"),
        Component("observe", "Observability", "Traces, metrics and logs with one request number.", "monitoring"),
    ),
    flows=(
        ("pipeline", "runtime", "releases"), ("runtime", "data", "SQL"), ("link", "runtime", "traffic of {sites}"),
        ("runtime", "observe", "signals"), ("landing", "runtime", "policies"),
    ),
    needs=(
        Need("No more than 30 minutes away", "In total, in the quietest night of the month.", "must", ("data", "runtime"),
             (("Rehearsed three times", "On full copies, with a stopwatch."),)),
        Need("A way back for 48 hours", "Changes flow back to the old system until it is switched off.", "must", ("data", "link")),
        Need("As fast as before", "The ten most used screens, at the 95th percentile, during {peak}.", "must", ("runtime", "link")),
        Need("Everything as code", "A second environment in one hour.", "should", ("landing", "pipeline")),
        Need("Costs by service", "Every resource has an owner and a budget.", "should", ("landing",)),
        Need("Scale with the day", "Half of the machines at night.", "could", ("runtime",)),
    ),
    constraints=(
        Note("The contract ends in eleven months", "Every further month costs a penalty.", "must", ("landing",)),
        Note("{Rules}", "Keys are held by the client, data stays in the country.", "must", ("data",)),
    ),
    assumptions=(
        Note("The maker supports containers", "From the release that is being rolled out now.", "must", ("runtime",)),
        Note("1.4 terabytes", "Of which a third can be archived first.", "should", ("data",)),
    ),
    integrations=(
        Note("Nineteen neighbouring systems", "Moved in four waves by how much they talk.", "must", ("link",)),
        Note("Monitoring of the operator", "Alarms reach the same desk as before.", "should", ("observe",)),
    ),
    risks=(
        Note("A forgotten dependency", "Four weeks of traffic recordings before the first wave.", "must", ("link",)),
        Note("Latency kills a batch job", "Measure the hundred longest jobs on the copy.", "should", ("data", "runtime")),
    ),
    packages=(
        Package("Map of dependencies", "What talks to what, how much and when.",
                ("Four weeks recorded", "Waves agreed with the owners"), ("link", "observe")),
        Package("Landing zone and pipeline", "Two environments from code.",
                ("A new environment in one hour", "Policies refuse a public database"), ("landing", "pipeline")),
        Package("Move", "Three rehearsals and the night itself.",
                ("Away for 30 minutes at most", "The way back is proven in rehearsal"), ("runtime", "data")),
    ),
    excluded=("New functions", "Systems whose owners decided to stay", "Ending the old contract"),
)

BLUEPRINTS = (TELEMETRY, HUB, IDENTITY, RECOVERY, MIGRATION)
