"""The questions asked before something is done to somebody's account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

import streamlit as st

from nexa_core import accounts
from nexa_core.accounts import PersonView
from nexa_core.actor import Actor
from pages._ui import format, menu, notices
from pages._ui.errors import shown_here
from pages._ui.gate import current_actor
from pages._ui.notices import saved
from pages._ui.reasons import KEPT, asked
from pages._ui.text import literal


@dataclass(frozen=True, slots=True)
class Question:
    """An icon for its button, and the dialog behind it."""

    icon: str
    ask: Callable[[PersonView], None]


@st.dialog("Unlock?", icon=":material/lock_open:")
def _unlock(person: PersonView) -> None:
    st.write(f"**{literal(person.full_name)}** can try again at once; the failures are forgotten.")
    if st.button("Unlock", type="primary", width="stretch"):
        with shown_here():
            accounts.unlock(current_actor(), user_id=person.id)
            saved("Unlocked")


@st.dialog("Send a link to set a new password?", icon=":material/mail_lock:")
def _reset(person: PersonView) -> None:
    st.write(f"The link goes to **{literal(person.email)}** and works once, within the hour.")
    if st.button("Send the link", type="primary", width="stretch"):
        with shown_here():
            accounts.send_reset_link(current_actor(), user_id=person.id)
            saved("The link is on its way")


@st.dialog("Suspend this account?", icon=":material/block:")
def _suspend(person: PersonView) -> None:
    st.write(f"**{literal(person.full_name)}** is signed out everywhere at once and cannot sign in until resumed.")
    if (reason := asked("Suspend")) is not None:
        with shown_here():
            accounts.suspend_user(current_actor(), user_id=person.id, reason=reason)
            saved("The account is suspended")


@st.dialog("Resume this account?", icon=":material/play_arrow:")
def _resume(person: PersonView) -> None:
    st.write(f"**{literal(person.full_name)}** can sign in again.")
    if (reason := asked("Resume")) is not None:
        with shown_here():
            accounts.resume_user(current_actor(), user_id=person.id, reason=reason)
            saved("The account is active again")


@st.dialog("Delete this account?", icon=":material/person_remove:")
def _delete(person: PersonView) -> None:
    if person.owned_alone:
        names = ", ".join(literal(name) for name in person.owned_alone)
        st.warning(f"{names} has no other owner. Transfer the ownership first.", icon=":material/warning:")
        return
    st.markdown(
        "What happens:\n"
        "- every sign-in ends at once, and nobody can sign in with this address;\n"
        + _told(
            current_actor(),
            (
                len(person.memberships),
                "membership stays and is shown as deleted",
                "memberships stay and are shown as deleted",
            ),
            (
                person.sessions_written,
                "session they wrote stays with its organization",
                "sessions they wrote stay with their organizations",
            ),
            (
                len(person.customers_managed),
                "customer has no account manager any more",
                "customers have no account manager any more",
            ),
        )
        + "\nIt can be restored. Erasing the person's data is another step, below."
    )
    if (reason := asked("Delete")) is not None:
        with shown_here():
            accounts.delete_user(current_actor(), user_id=person.id, reason=reason)
            saved("The account is deleted")


@st.dialog("Restore this account?", icon=":material/restore_from_trash:")
def _restore(person: PersonView) -> None:
    st.write(
        f"**{literal(person.full_name or person.email)}** is what they were before, with the memberships they had."
    )
    if (reason := asked("Restore")) is not None:
        with shown_here():
            accounts.restore_user(current_actor(), user_id=person.id, reason=reason)
            saved("The account is restored")


@st.dialog("Export everything about this person", icon=":material/folder_zip:")
def _export(person: PersonView) -> None:
    st.write("A ZIP of JSON files with a page that says what is where. Passwords and tokens are left out.")
    reason = st.text_input("Reason", help=KEPT, max_chars=1000, live="400ms").strip()
    address = f"/api/people/{person.id}/export.zip?{urlencode({'reason': reason or '-'})}"
    st.link_button(
        "Download", address, disabled=not reason, type="primary", width="stretch", icon=":material/download:"
    )


@st.dialog("End a sign-in?", icon=":material/logout:")
def end_sign_in(user_id: UUID, user_session_id: UUID | None, what: str) -> None:
    """End one sign-in of somebody, or all."""
    st.write(f"**{literal(what)}**: signed out at once. Whoever uses it needs the password to come back.")
    if (reason := asked("End it" if user_session_id else "End all of them")) is not None:
        with shown_here():
            if user_session_id:
                accounts.end_sign_in_of(
                    current_actor(), user_id=user_id, user_session_id=user_session_id, reason=reason
                )
            else:
                accounts.end_sign_ins_of(current_actor(), user_id=user_id, reason=reason)
            saved("Signed out")


@st.dialog("View as this person", icon=":material/visibility:")
def view_as(user_id: UUID, organization_id: UUID, name: str, organization: str) -> None:
    """Look at one organization with a member's eyes."""
    st.markdown(
        f"You see **{literal(organization)}** as **{literal(name)}** does, for 60 minutes or until you end it. "
        "You can look, and change nothing. The customer can read in its audit log that you looked, as whom and why."
    )
    if (reason := asked("Begin", who_reads="The customer can read it.")) is not None:
        with shown_here():
            accounts.view_as(current_actor(), user_id=user_id, organization_id=organization_id, reason=reason)
            notices.later(f"You are viewing {organization}")
            st.switch_page(menu.HOME.page())


@st.dialog("Erase this person for good", icon=":material/delete_forever:", width="medium")
def erase(user_id: UUID, email: str) -> None:
    """What erasing would do, counted; then the address typed, a reason, and it is done."""
    actor = current_actor()
    with shown_here():
        found = accounts.plan_erasure(actor, user_id=user_id)
        for blocker in found.blockers:
            st.warning(literal(blocker), icon=":material/warning:")
        if found.blockers:
            return
        st.markdown(
            "**What would happen**\n"
            "- the account keeps no name, address, picture or password;\n"
            + _told(
                actor,
                (found.memberships, "membership is removed", "memberships are removed"),
                (found.sign_ins, "sign-in is removed", "sign-ins are removed"),
                (found.mail, "mail is blanked", "mails are blanked"),
                (
                    found.audit_entries,
                    "entry of the audit log loses values, address, device and reason; that it happened stays",
                    "entries of the audit log lose values, address, device and reason; that they happened stays",
                ),
                (
                    sum(found.texts.values()),
                    "text that names the person says “Erased person” instead",
                    "texts that name the person say “Erased person” instead",
                ),
                (found.sessions_kept, "session stays with its organization", "sessions stay with their organizations"),
            )
            + "- the chains of the audit log still verify;\n"
            "- what was used stays counted, so no bill changes.\n\n"
            "**It cannot be undone.** An address is replaced everywhere, a name of two words or more in the "
            "organizations the person belongs or belonged to, a single word in the person's own records only."
        )
        keep_names = _words(actor, found.words)
        if found.archives:
            st.info(
                "Entries that left the audit log before keep what they hold, in these files: "
                + literal(", ".join(found.archives)),
                icon=":material/inventory_2:",
            )
        typed = st.text_input("Type the person's e-mail address", placeholder=email, autocomplete="off")
        if (reason := asked("Erase for good")) is not None:
            with shown_here():
                accounts.erase_person(actor, user_id=user_id, email=typed, reason=reason, keep_names=keep_names)
                saved("The person is erased")


def _told(actor: Actor, *lines: tuple[int, str, str]) -> str:
    """A line for each count but zero: how it goes on for one, and how for several."""
    return "".join(
        f"- {format.number(actor, count)} {one if count == 1 else several};\n" for count, one, several in lines if count
    )


def _words(actor: Actor, words: Sequence[accounts.ErasedWord]) -> list[str]:
    """Each word that would be replaced, with its count; answers the names that shall stay where they are."""
    counts = {
        word.word: f"{literal(word.word)} ({format.number(actor, word.texts)} texts, "
        f"{format.number(actor, word.entries)} entries of the audit log)"
        for word in words
    }
    addresses = [counts[word.word] for word in words if not word.is_name]
    if addresses:
        st.markdown("**Addresses:** " + ", ".join(addresses))
    names = [word.word for word in words if word.is_name]
    if not names:
        return []
    replaced = st.pills(
        "Names that are replaced", names, selection_mode="multi", default=names, format_func=counts.__getitem__,
        help="People choose their names themselves. Take out what is somebody else's too: a company, a product.",
    )  # fmt: skip
    return [name for name in names if name not in replaced]


DIALOGS = {
    "Unlock": Question(":material/lock_open:", _unlock),
    "Send reset link": Question(":material/mail_lock:", _reset),
    "Suspend": Question(":material/block:", _suspend),
    "Resume": Question(":material/play_arrow:", _resume),
    "Delete": Question(":material/person_remove:", _delete),
    "Restore": Question(":material/restore_from_trash:", _restore),
    "Export everything": Question(":material/folder_zip:", _export),
}
