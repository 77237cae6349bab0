"""`python -m nexa_core`: what an operator does from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nexa_core import logs, schema, startup
from nexa_core.actor import Actor
from nexa_core.config import settings
from nexa_core.embedded import EmbeddedServer

DESCRIPTION = """\
Looks after NEXA's database: the one DATABASE_URL names, else the embedded one in NEXA_DATA_DIR, which is started
for the command and stopped after it unless a running NEXA uses it. Settings are described in README.md."""


@dataclass(frozen=True, slots=True)
class Command:
    """One word of the command line."""

    run: Callable[[argparse.Namespace], int]
    summary: str
    details: str
    arguments: tuple[tuple[str, dict[str, Any]], ...] = ()


def main(words: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 when all is well."""
    parser = argparse.ArgumentParser("python -m nexa_core", description=DESCRIPTION, formatter_class=_Formatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for name, command in COMMANDS.items():
        parts = commands.add_parser(
            name, help=command.summary, description=f"{command.summary}. {command.details}", formatter_class=_Formatter
        )
        for argument, options in command.arguments:
            parts.add_argument(argument, **options)
    asked = parser.parse_args(words)
    with startup.one_sentence(""):
        try:
            return COMMANDS[asked.command].run(asked)
        finally:
            startup.release()


def _opened(*, migrated: bool = True) -> startup.Database:
    logs.configure()
    database = startup.open_database(_note)
    if migrated:
        schema.migrate(database.owner_url, _note, variable=database.variable)
    startup.connect(database)
    return database


def _note(sentence: str) -> None:
    """Beside the answer, so that the answer can be piped."""
    print(sentence, file=sys.stderr, flush=True)


def _migrate(_asked: argparse.Namespace) -> int:
    _opened()
    print(f"The database is at migration {schema.head()}.")
    return 0


def _seed(_asked: argparse.Namespace) -> int:
    if startup.seed(_opened(), _note):
        print("The demo world is there; sign in as admin@nexa.example with nexa-demo-walkthrough.")
        return 0
    print("Nothing was done: the demo world is made in an empty database only.")
    return 1


def _create_admin(asked: argparse.Namespace) -> int:
    from nexa_core import accounts

    _ = settings().signing_keys
    _opened()
    link = accounts.create_admin(asked.email)
    print(f"{asked.email} is an internal admin and sets a password here:\n{link}")
    return 0


def _verify_audit(_asked: argparse.Namespace) -> int:
    from nexa_core import system

    _opened(migrated=False)
    showing = _Progress("Walking the chains") if sys.stderr.isatty() else None
    found = system.verify_audit(Actor.system(), progress=showing)
    for fault in found.faults:
        chain = fault.organization_name or ("no organization" if not fault.chain_id.int else str(fault.chain_id))
        link = f", link {fault.sequence:,}" if fault.sequence else ""
        print(f"{chain}{link}{f', entry {fault.entry_id}' if fault.entry_id else ''}: {fault.what}.")
    walked = f"{found.chains:,} chains with {found.entries:,} entries, walked at {found.at:%Y-%m-%d %H:%M} UTC: "
    broken = len({fault.chain_id for fault in found.faults})
    print(walked + ("every link verifies." if found.verified else f"{broken:,} NOT intact."))
    if not settings().seal_keys:
        print("No key seals the chains here (NEXA_SEAL_KEY): a chain that was rewritten as a whole would verify too.")
    return 0 if found.verified else 1


class _Progress:
    """How far something is, in one line of the terminal that is overwritten."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __call__(self, done: float) -> None:
        print(f"\r{self.what} ... {done:4.0%}", end="\n" if done >= 1 else "", file=sys.stderr, flush=True)


def _check(_asked: argparse.Namespace) -> int:
    from nexa_core import system

    _opened(migrated=False)
    findings = system.check(Actor.system())
    for finding in findings:
        print(f"{'ok    ' if finding.ok else 'NOT OK'}  {finding.name}: {finding.sentence}")
    return 0 if all(finding.ok for finding in findings) else 1


def _database_url(asked: argparse.Namespace) -> int:
    wanted = settings()
    if wanted.database_url:
        print(wanted.database_url if asked.app else wanted.migrate_database_url or wanted.database_url)
        return 0
    server = EmbeddedServer(wanted.data_dir)
    print(server.url("nexa_app") if asked.app else server.url())
    if not server.is_running():
        _note("The embedded PostgreSQL is not running now; it runs while NEXA does.")
    return 0


class _Formatter(argparse.HelpFormatter):
    """Wide enough for one line a command."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=20, width=110)


COMMANDS = {
    "migrate": Command(
        _migrate,
        "bring the database to the newest migration",
        "Makes NEXA's roles too, where the login may. Safe to run beside others: one migrates, the others wait.",
    ),
    "seed": Command(
        _seed,
        "fill an empty database with the demo world",
        "Refuses a database that holds an organization already. Start-up does this by itself in demo mode.",
    ),
    "create-admin": Command(
        _create_admin,
        "make an internal admin and print the link that sets a password",
        "Makes the platform's own organization when there is none. The link works once, for a limited time.",
        (("email", {"metavar": "EMAIL", "help": "the address the admin signs in with"}),),
    ),
    "verify-audit": Command(
        _verify_audit,
        "walk every chain of the audit log and name the first bad row of each",
        "Exit code 1 when a row was changed, removed or added behind NEXA's back.",
    ),
    "check": Command(
        _check,
        "check invariants, row-level security, roles and the migration head",
        "Proves that every counter and rollup of usage is the sum of its events. Exit code 1 when something is off.",
    ),
    "database-url": Command(
        _database_url,
        "print the database's URL, for psql and backups",
        "The login that owns the tables; for the embedded server its superuser.",
        (("--app", {"action": "store_true", "help": "the login the program itself uses instead"}),),
    ),
}

if __name__ == "__main__":
    sys.exit(main())
