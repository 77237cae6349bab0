"""A session's page without a browser: opened by its address, and edits of its grid as a browser sends them."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Shell
from tests.pages.test_gate import _open


def opened(shell: Shell, sign_in: UUID, page: str, uuid: UUID, view: str) -> AppTest:
    app = shell(sign_in)
    app.query_params["session"], app.query_params["view"] = str(uuid), view
    return _open(app, page)


def grid_id(app: AppTest) -> str:
    """What the browser keeps the grid's edits under."""
    (grid,) = app.data_editor
    return str(grid.proto.id)


def edit_grid(app: AppTest, **edits: Any) -> None:
    """What the browser sends of a grid: ``edited_rows``, ``added_rows``, ``deleted_rows``, all of them every time."""
    states = app._tree.get_widget_states()
    given = {"edited_rows": {}, "added_rows": [], "deleted_rows": [], **edits}
    states.widgets.append(WidgetState(id=grid_id(app), string_value=json.dumps(given)))
    app._run(states)
    assert not app.exception
