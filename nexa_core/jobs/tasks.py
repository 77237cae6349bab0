"""The jobs: each a few lines over a verb, safe to run twice, since a process can die before it says it was done."""

from __future__ import annotations

from uuid import UUID

from procrastinate import App, JobContext, RetryDecision
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy

from nexa_core import accounts, architecture_sessions, audit, notifications, organizations, usage
from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.config import settings
from nexa_core.errors import NexaError, Unavailable
from nexa_core.logs import logger

#: Seconds between one attempt and the next: ten attempts over a day and a half.
PAUSES = (30, 120, 480, 1800, 7200, 14400, 28800, 28800, 43200)
#: Finished jobs are kept for a week, for the System screen.
JOBS_KEPT_HOURS = 7 * 24


class GrowingPauses(BaseRetryStrategy):
    """Try again, later each time, what failed for want of another service; all else stays failed."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, Unavailable) and job.attempts < len(PAUSES):
            return RetryDecision(retry_in={"seconds": PAUSES[job.attempts]})
        return None


def deliver_mail(*, message_id: str) -> None:
    """Send one mail of the outbox."""
    notifications.deliver(Actor.system(), message_id=UUID(message_id))


def send_waiting_mail(timestamp: int) -> None:
    """Send what was written while no mail server was configured, or whose job was lost."""
    system = Actor.system()
    for message_id in notifications.waiting_mail(system):
        try:
            notifications.deliver(system, message_id=message_id)
        except NexaError as error:
            logger("nexa.jobs").warning("mail_not_sent", message_id=str(message_id), reason=error.sentence)
            return


def roll_up_usage(timestamp: int) -> None:
    """Bring the coarse sums of usage up to the daily ones."""
    usage.roll_up(Actor.system())


def expire_reservations(timestamp: int) -> None:
    """Give back credits that were reserved and neither settled nor released in time."""
    usage.expire_reservations(Actor.system())


def expire_viewings(timestamp: int) -> None:
    """Write down the end of viewings that nobody ended."""
    accounts.expire_viewings(Actor.system())


def raise_usage_alerts(timestamp: int) -> None:
    """Tell customers that crossed a threshold of their credits."""
    usage.raise_alerts(Actor.system())


def prove_usage(timestamp: int) -> None:
    """Compare every sum of usage with its events, and say in the log when one is off; the System screen shows it."""
    proof = usage.prove(Actor.system())
    for difference in proof.told:
        logger("nexa.usage").error("usage_does_not_add_up", what=difference.sentence)


def expire_usage(timestamp: int) -> None:
    """Let single usage events go that are older than NEXA_USAGE_MONTHS; without that setting they are kept for ever."""
    if months := settings().usage_months:
        usage.expire(Actor.system(), keep_months=months)


def make_months(timestamp: int) -> None:
    """Make the coming months' partitions before they are needed."""
    usage.make_months(Actor.system())


def seal_audit(timestamp: int) -> None:
    """Sign the heads of the audit log's chains, so that nobody can rewrite what is older than an hour."""
    audit.seal_heads(Actor.system())


def verify_audit(timestamp: int) -> None:
    """Walk the chains that have grown, and say in the log when one does not verify."""
    found = audit.verify_due(Actor.system())
    for fault in found.faults:
        logger("nexa.audit").error(
            "chain_does_not_verify", chain_id=str(fault.chain_id), link=fault.sequence, what=fault.what
        )


def expire_audit(timestamp: int) -> None:
    """Let entries go that are older than their organization's retention, after they were archived."""
    audit.expire_old_entries(Actor.system())


def purge_accounts(timestamp: int) -> None:
    """Delete spent secrets and old sign-ins."""
    accounts.purge()


def recheck_domains(timestamp: int) -> None:
    """Look again for the DNS records of the domains that were not looked at in a week."""
    organizations.recheck_domains(Actor.system())


def refresh_outlooks(timestamp: int) -> None:
    """Look ahead anew for the customers whose day is over."""
    reports.refresh_outlooks(Actor.system())


def refresh_session_search(timestamp: int) -> None:
    """Let the search find what was typed into sessions lately."""
    architecture_sessions.refresh_search(Actor.system())


def check_session_diagrams(timestamp: int) -> None:
    """Parse the diagrams of sessions that were edited lately, for the search for those that do not parse."""
    # A few at a time: each diagram takes a second of a processor, and who waits for one to be drawn comes first.
    architecture_sessions.check_diagrams(Actor.system(), check=architecture_sessions.check_diagram, most=3)


def purge_sessions(timestamp: int) -> None:
    """Empty the trash of what has been there for 90 days, and forget how to get back to old versions."""
    system = Actor.system()
    while architecture_sessions.purge_trash(system):
        pass
    architecture_sessions.remove_old_saves(system)


async def remove_old_jobs(context: JobContext, timestamp: int) -> None:
    """Forget finished jobs."""
    await context.app.job_manager.delete_old_jobs(
        nb_hours=JOBS_KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )


async def retry_stalled_jobs(context: JobContext, timestamp: int) -> None:
    """Give the jobs of a process that died to another one."""
    await retry_stalled(context.app)


async def retry_stalled(app: App) -> None:
    """Put every job back whose worker has not been heard of for half a minute."""
    for job in await app.job_manager.get_stalled_jobs():
        await app.job_manager.retry_job(job)
