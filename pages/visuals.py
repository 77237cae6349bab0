"""Visuals: the diagrams and images of a session."""

from pages._ui.sessions import frame

frame.draw("visuals")
