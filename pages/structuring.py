"""Structuring: requirements, constraints, assumptions, components, integrations and risks of a session, as a tree."""

from pages._ui.sessions import frame

frame.draw("structuring")
