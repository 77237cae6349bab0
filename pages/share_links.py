"""Shared links: every link a client can follow now, with what it shows, until when, and its end."""

from pages._ui import current_actor, layout, menu
from pages._ui.sessions import sharing

actor = current_actor()
sharing.way_back()
layout.title(menu.SHARE_LINKS.title, "Every link of your organization that a client can follow now.")
sharing.everywhere(actor)
