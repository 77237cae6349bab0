"""Morning brief: the few customers to call today, each with why, what shows it, and what to write to them."""

from nexa_core.billing import reports
from pages._ui import current_actor, format, layout
from pages._ui.text import literal
from pages._ui.usage import brief

actor = current_actor()
layout.title("Morning brief", literal(f"The few customers to call on {format.today(actor)}, the most urgent first."))

found = reports.brief(actor, everybody=brief.is_for_everybody())
brief.whose(found.is_mine)
brief.draw(actor, found)
brief.paused(actor, found)
