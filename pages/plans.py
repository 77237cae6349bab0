"""Plans: the catalogue by date; a new version is drafted, shown to whom it matters, and scheduled."""

from nexa_core import billing
from pages._ui import current_actor, layout
from pages._ui.billing import catalogue, drafting

actor = current_actor()
layout.title("Plans", "What each plan was, is and will be. What has begun stays as it is; a new version begins later.")
versions = billing.plan_versions(actor)
if versions:
    catalogue.versions(actor, versions)
    drafting.draft(actor, versions)
else:
    catalogue.nothing()
