"""What screens share; the only place that touches st.session_state."""

from pages._ui.errors import shown_here
from pages._ui.gate import current_actor
from pages._ui.notices import saved

__all__ = ["current_actor", "saved", "shown_here"]
