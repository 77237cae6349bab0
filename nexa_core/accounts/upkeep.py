"""What of signing in is not kept: spent secrets, old sign-ins, the failures of addresses nobody has and of networks."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, func, or_, select

from nexa_core.accounts.models import NetworkSignIn, OneTimeToken, SpentRefreshToken, UnknownSignIn, UserSession
from nexa_core.actions import Action
from nexa_core.actor import Origin
from nexa_core.db import entering

SIGN_INS_KEPT = dt.timedelta(days=90)
FAILURES_KEPT = dt.timedelta(days=1)


def purge() -> int:
    """Delete what has outlived its use; how many rows that were. Safe to run at any time, by several at once."""
    over = or_(UserSession.revoked_at.is_not(None), UserSession.expires_at < func.now())
    oldest = func.now() - SIGN_INS_KEPT
    statements = (
        delete(OneTimeToken).where(OneTimeToken.expires_at < func.now() - FAILURES_KEPT),
        # A sign-in that has ended refuses its refresh tokens by itself; only living families need their spent ones.
        delete(SpentRefreshToken).where(SpentRefreshToken.user_session_id.in_(select(UserSession.id).where(over))),
        delete(UnknownSignIn).where(
            UnknownSignIn.last_failed_login_at < func.now() - FAILURES_KEPT,
            or_(UnknownSignIn.locked_until.is_(None), UnknownSignIn.locked_until < func.now()),
        ),
        delete(NetworkSignIn).where(NetworkSignIn.spent_until < func.now()),
        delete(UserSession).where(func.coalesce(UserSession.revoked_at, UserSession.expires_at) < oldest),
    )
    reason = f"Sign-ins are kept for {SIGN_INS_KEPT.days} days after their end"
    with entering(Origin(user_agent="nexa"), Action.SIGN_INS_PURGED, reason=reason) as db:
        return sum(db.execute(s.execution_options(synchronize_session=False)).rowcount for s in statements)  # type: ignore[attr-defined]
