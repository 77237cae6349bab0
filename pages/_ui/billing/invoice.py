"""An invoice on screen: its figures, its lines, the events behind one of them, its files, and money given back."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import uuid4

import streamlit as st

from nexa_core import billing
from nexa_core.actor import Actor
from nexa_core.permissions import Permission
from pages._ui import current_actor, format, layout, menu, saved, shown_here, tables
from pages._ui.billing import whose
from pages._ui.pager import pager
from pages._ui.text import literal

#: Streamlit breaks the lines of a cell in rows of more than four times the theme's size of text.
_TWO_LINES = 62


def heading(invoice: billing.Invoice) -> None:
    """Whose invoice it is, and the way to what another plan would have meant."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap="xxsmall", width="content"):
            layout.title(
                literal(invoice.name),
                literal(f"Invoice {invoice.number}; its month is that of {invoice.period.time_zone}"),
            )
        st.page_link(
            menu.REHEARSAL.page(), label="What if on another plan", icon=menu.REHEARSAL.icon,
            query_params=whose.same_address(),
        )  # fmt: skip


def figures(actor: Actor, invoice: billing.Invoice) -> None:
    """What it comes to, and what of."""
    layout.figures(
        (
            ("Plan", invoice.plan, "At the end of the period, or now"),
            ("Credits used", format.number(actor, invoice.used), "In this period"),
            (
                "Allowance",
                "no limit" if invoice.allowance is None else format.number(actor, invoice.allowance),
                "Credits that the fee includes",
            ),
            ("Over the allowance", format.number(actor, invoice.overage), "Credits that are charged by use"),
            ("Total", whose.money(actor, invoice.total_minor, invoice.currency), "The sum of the lines; no tax"),
        )
    )
    if invoice.period.is_running:
        st.info(
            f"{whose.month(invoice.period.name)} is running: this is a preview, as if nothing changed until its end.",
            icon=":material/schedule:",
        )


def lines(actor: Actor, invoice: billing.Invoice) -> None:
    """The lines; a click on one that has events opens them."""
    shown = invoice.lines
    st.dataframe(
        {
            "Description": [line.title for line in shown],
            "Amount": [whose.money(actor, line.amount_minor, invoice.currency) for line in shown],
            "Quantity": [line.quantity for line in shown],
            "Events": [line.events or None for line in shown],
            "Derivation": [line.derivation for line in shown],
        },
        key=f"invoice-{invoice.number}", hide_index=True, height="content", row_height=_TWO_LINES, placeholder="–",
        on_select=lambda: _open_line(invoice), selection_mode=["single-cell"],
        alt="The lines of the invoice with amount and derivation",
        column_config={
            "Description": st.column_config.TextColumn(width=180),
            "Derivation": st.column_config.TextColumn(width="large"),
            "Quantity": st.column_config.NumberColumn(format="localized", width=80),
            "Events": st.column_config.NumberColumn(
                format="localized", width=80, help="Usage events behind the line: click to open them"
            ),
            "Amount": st.column_config.TextColumn(width=120, alignment="right"),
        },
    )  # fmt: skip
    st.caption(f"{billing.ROUNDING} A click on a line with events opens them. Nothing is charged to a card.")


def _open_line(invoice: billing.Invoice) -> None:
    """Before the screen is drawn again: the line that was clicked stands in the address."""
    cells = st.session_state[f"invoice-{invoice.number}"].selection.cells
    line = tables.clicked(cells, invoice.lines)
    if line is not None and line.events:
        st.query_params["line"] = line.key


def files(invoice: billing.Invoice) -> None:
    """The same invoice as files."""
    with st.container(horizontal=True):
        for form, icon in (("pdf", "picture_as_pdf"), ("csv", "csv"), ("xlsx", "table_view")):
            query = urlencode({"period": invoice.period.name, "form": form})
            st.link_button(
                f"Export {form.upper()}", f"/api/billing/invoices/{invoice.organization_id}/file?{query}",
                icon=f":material/{icon}:", type="tertiary",
            )  # fmt: skip


def past(actor: Actor, totals: tuple[billing.InvoiceTotal, ...]) -> None:
    """What the latest months came to; a click opens one."""
    st.subheader("Latest months", anchor=False)
    st.dataframe(
        {
            "Month": [whose.month(total.period) for total in totals],
            "Plan": [total.plans for total in totals],
            "Credits used": [total.used for total in totals],
            "Over the allowance": [total.overage or None for total in totals],
            "Given back": [
                whose.money(actor, total.credited_minor, total.currency) if total.credited_minor else None
                for total in totals
            ],
            "Total": [whose.money(actor, total.total_minor, total.currency) for total in totals],
        },
        key="invoices", hide_index=True, height="content", placeholder="–", on_select=lambda: _open_month(totals),
        selection_mode=["single-cell"], alt="What each of the latest months came to",
        column_config={
            "Credits used": st.column_config.NumberColumn(format="localized"),
            "Over the allowance": st.column_config.NumberColumn(format="localized"),
            "Given back": st.column_config.TextColumn(alignment="right"),
            "Total": st.column_config.TextColumn(alignment="right"),
        },
    )  # fmt: skip


def _open_month(totals: tuple[billing.InvoiceTotal, ...]) -> None:
    """Before the screen is drawn again: the month that was clicked is the one in the list of months."""
    total = tables.clicked(st.session_state["invoices"].selection.cells, totals)
    if total is not None:
        st.session_state["period"] = "" if total.is_running else total.period


def events(actor: Actor, invoice: billing.Invoice, line: billing.Line) -> None:
    """The usage events behind a line: when, who, for which session, and what of it is in the line."""
    st.page_link(
        menu.BILLING.page(), label=f"Invoice {invoice.number}", icon=":material/arrow_back:",
        query_params=whose.same_address(),
    )  # fmt: skip
    layout.title(literal(line.title), literal(f"{invoice.name}, {whose.month(invoice.period.name)}: {line.derivation}"))
    place = pager("line-events", invoice.number, line.key)
    page = billing.line_events(
        actor, organization_id=invoice.organization_id, period=invoice.period.name, line=line.key, after=place.after
    )
    if not page.items:
        layout.nothing("search_off", "No events stand behind this line")
        return
    table = st.dataframe(
        {
            "Time": [event.occurred_at.astimezone(format.zone(invoice.period.time_zone)) for event in page.items],
            "Type": [billing.named_event(event.event_type) for event in page.items],
            "Credits": [event.credits for event in page.items],
            "In this line": [event.billed for event in page.items],
            "Person": [event.person for event in page.items],
            "Session": [
                event.session_title or (f"Session {str(event.session_uuid)[:8]}" if event.session_uuid else None)
                for event in page.items
            ],
            "Revision": [event.revision for event in page.items],
        },
        key=f"line-{line.key}-{place.after or ''}", hide_index=True, height="content", placeholder="–",
        on_select="rerun", selection_mode=["single-cell"],
        alt="Usage events behind the line",
        column_config={
            "Time": st.column_config.DatetimeColumn(
                f"Time ({invoice.period.time_zone})", format=format.moment_pattern(actor, seconds=True),
                timezone=invoice.period.time_zone,
            ),
            "Credits": st.column_config.NumberColumn(format="localized"),
            "In this line": st.column_config.NumberColumn(
                format="localized", help="What of the event's credits this line counts"
            ),
        },
    )  # fmt: skip
    if actor.may(Permission.SESSIONS_READ):
        _open_session(table.selection.cells, page.items)
        st.caption("A click on a session opens it.")
    place.draw(shown=len(page.items), next_cursor=page.next_cursor)
    query = urlencode({"period": invoice.period.name, "line": line.key})
    st.link_button(
        "Export all of them as CSV", f"/api/billing/invoices/{invoice.organization_id}/events.csv?{query}",
        icon=":material/csv:", type="tertiary",
    )  # fmt: skip


def _open_session(cells: Sequence[tuple[int, str]], shown: Sequence[billing.LineEvent]) -> None:
    """Go to the session that was clicked: what the credits of the line were used for."""
    for row, column in cells:
        if column == "Session" and row < len(shown) and shown[row].session_uuid:
            st.switch_page(menu.STRUCTURING.page(), query_params={"session": str(shown[row].session_uuid)})


def giving_back(actor: Actor, invoice: billing.Invoice) -> None:
    """For the platform's people: the button that opens the credit note."""
    may = actor.is_staff and actor.may(Permission.BILLING_MANAGE) and invoice.total_minor > 0
    if may and st.button("Give money back …", icon=":material/undo:"):
        credit(actor, invoice, uuid4().hex)


@st.dialog("Give money back?", icon=":material/undo:")
def credit(actor: Actor, invoice: billing.Invoice, key: str) -> None:
    """A credit note or refund, before it becomes a negative line; one only, however often the button is pressed."""
    st.write(
        f"It becomes a negative line of **{literal(invoice.number)}** and stays in the audit log; "
        "it cannot be taken back. Nothing is paid out by NEXA."
    )
    with st.form("credit", border=False):
        amount = st.text_input(
            f"Amount in {invoice.currency}", autocomplete="off",
            help=f"At most {whose.money(actor, invoice.total_minor, invoice.currency)}",
        )  # fmt: skip
        kind = st.radio("What it is", ("credit", "refund"), horizontal=True, format_func=str.capitalize)
        reason = st.text_input("Reason", help="The customer reads it on the invoice.")
        if st.form_submit_button("Give back", type="primary", width="stretch"):
            with shown_here():
                minor = whose.typed(actor, amount, invoice.currency)
                billing.issue_credit(
                    current_actor(), organization_id=invoice.organization_id, period=invoice.period.name,
                    amount_minor=minor, reason=reason, kind="refund" if kind == "refund" else "credit",
                    idempotency_key=key,
                )  # fmt: skip
                saved("It is a line of the invoice now")
