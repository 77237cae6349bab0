"""Statement of work: sections, deliverables, milestones and scope of a session."""

from pages._ui.sessions import frame

frame.draw("sow")
