"""Portfolio: what all customers use and pay, against the last period, and where it leads by the end of this one."""

import streamlit as st

from pages._ui import current_actor, format, layout
from pages._ui.pager import pager
from pages._ui.usage import kept, portfolio, revenue

actor = current_actor()
layout.title("Portfolio", "What your customers use and pay. Click a bar or a row to look closer.")

wanted, sort = portfolio.filters_of(actor)
summary = kept.portfolio(actor, wanted)
if not summary.customers:
    portfolio.nothing(wanted)
else:
    now, before = portfolio.revenues(actor, wanted)
    portfolio.figures(actor, summary, now, before)
    revenue.by_currency(actor, summary, now, before)
    portfolio.by_day(actor, wanted)
    place = pager("portfolio", wanted, sort)
    found = kept.customers(actor, wanted, sort, place.after)
    st.subheader("Customers", anchor=False)
    portfolio.table(actor, found.items, wanted)
    place.draw(shown=len(found.items), next_cursor=found.next_cursor)
    with st.container(horizontal=True, vertical_alignment="center"):
        portfolio.exports(wanted, sort)
        st.caption(portfolio.how_sure(actor, wanted, summary, format.moment(actor, summary.made_at)))
