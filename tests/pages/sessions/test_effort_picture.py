"""The picture of the effort is a chart like the others, in the theme's colours, with a table of its figures."""

from __future__ import annotations

from nexa_core.architecture_sessions.effort import estimate
from pages._ui import charts
from pages._ui.sessions import effort

_ROWS = [
    {
        "id": "a",
        "task": "Plan",
        "role": "Lead",
        "optimistic_hours": 1,
        "likely_hours": 2,
        "pessimistic_hours": 3,
        "rate": 10,
    },
    {
        "id": "b",
        "task": "Build",
        "role": "Engineer",
        "optimistic_hours": 6,
        "likely_hours": 8,
        "pessimistic_hours": 16,
        "rate": 10,
    },
]


def test_the_table_behind_the_picture_has_the_same_figures_the_greatest_first() -> None:
    found = estimate({"rows": _ROWS}, {})
    chart = effort._chart(effort._bars(found, "Role"), "Role")
    (trace,) = chart.traces
    assert trace["marker"]["color"] == charts.colors()[0]
    assert trace["y"] == ["Lead", "Engineer"], "plotly begins at the bottom"
    assert chart.table == {
        "Role": ["Engineer", "Lead"], "Mean, h": [9.0, 2.0], "Optimistic, h": [6, 1], "Pessimistic, h": [16, 3],
    }  # fmt: skip
