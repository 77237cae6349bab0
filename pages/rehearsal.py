"""What if: a month's real use, replayed against every plan and against limits of one's own."""

import streamlit as st

from nexa_core import billing
from pages._ui import current_actor, layout
from pages._ui.billing import replay, whose

actor = current_actor()
organization_id = whose.organization(actor, "What if")
if organization_id is not None:
    whose.way_back(actor)
    top = st.container()  # the title names the month that is chosen below it
    periods = billing.periods(actor, organization_id=organization_id)
    if not periods:
        layout.nothing("compare_arrows", "There is no month to replay yet", "The first begins with the organization.")
    else:
        period = whose.period(periods)
        credits_a_month, event_limits = replay.own_limits()
        rehearsal = billing.rehearse(
            actor,
            organization_id=organization_id,
            period=period,
            monthly_credits=credits_a_month,
            event_limits=event_limits,
        )
        with top:
            replay.heading(rehearsal)
        replay.verdict(actor, rehearsal)
        replay.picture(actor, rehearsal)
        replay.table(actor, rehearsal)
