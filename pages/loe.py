"""Level of effort: what a session takes, who does it, what it costs, and how sure that is."""

from pages._ui.sessions import frame

frame.draw("loe")
