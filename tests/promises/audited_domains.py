"""What the verbs of e-mail domains, and of joining by them, leave in the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock
from uuid import UUID

from nexa_core import organizations
from nexa_core.organizations import dns_proof
from tests.promises.audited_rows import NEW_PASSWORD, ORIGIN, Case, Stage

DOMAIN_NAME = "northwind.com"


@contextmanager
def _dns(*, found: bool) -> Iterator[None]:
    """What asking the DNS says; that it is asked rightly is tested where the domains are."""
    with mock.patch.object(dns_proof, "look_up", return_value=dns_proof.Proof(found, "The DNS said so.")):
        yield


def _of(stage: Stage, domain: UUID) -> dict[str, UUID]:
    return {"organization_id": stage.northwind, "domain_id": domain}


def _claimed(stage: Stage) -> UUID:
    return organizations.add_domain(stage.ada, organization_id=stage.northwind, domain=DOMAIN_NAME).id


def _checked(stage: Stage, domain: UUID, *, found: bool = True) -> None:
    with _dns(found=found):
        organizations.check_domain(stage.ada, **_of(stage, domain))


def _proven(stage: Stage) -> UUID:
    domain = _claimed(stage)
    _checked(stage, domain)
    return domain


def _proven_long_ago(stage: Stage) -> None:
    _proven(stage)
    with stage.world.database.superuser() as connection, connection.transaction():
        stage.world.name_the_change(connection)
        connection.execute("UPDATE organization_domains SET verification_checked_at = now() - interval '8 days'")


def _rechecked(stage: Stage) -> None:
    with _dns(found=False):
        assert organizations.recheck_domains(stage.root) == 1


def _candidate(stage: Stage) -> tuple[UUID, UUID]:
    """A proven domain, and somebody of another organization with a confirmed address in it."""
    kim = stage.world.person(f"kim@{DOMAIN_NAME}", stage.elsewhere, email_verified_at="2026-01-01")
    return _proven(stage), kim


def _joining(stage: Stage, *, approval_required: bool = False) -> UUID:
    domain = _proven(stage)
    organizations.set_joining(
        stage.ada, enabled=True, role="member", approval_required=approval_required, **_of(stage, domain)
    )
    return domain


def _link(stage: Stage, *, approval_required: bool = False) -> str:
    """The token of the link mailed to somebody who wants to join."""
    _joining(stage, approval_required=approval_required)
    organizations.request_domain_join(ORIGIN, email=f"lee@{DOMAIN_NAME}")
    with stage.world.database.superuser() as connection:
        row = connection.execute("SELECT link FROM outbox_messages WHERE link LIKE '%/join?%'").fetchone()
    assert row
    return str(row[0]).rpartition("token=")[2]


def _joined(token: str) -> None:
    organizations.join_by_domain(ORIGIN, token=token, first_name="Lee", last_name="Ray", password=NEW_PASSWORD)


def _waiting(stage: Stage) -> UUID:
    """The membership of somebody in the queue."""
    _joined(_link(stage, approval_required=True))
    (request,) = organizations.join_requests(stage.ada, organization_id=stage.northwind)
    return request.membership_id


CASES: dict[str, Case] = {
    "organizations.domains": Case(lambda s, _: organizations.domains(s.ada, organization_id=s.northwind)),
    "organizations.add_domain": Case(lambda s, _: _claimed(s), (("domain.added", "domain"),)),
    # The first domain that is proven is the one the organization is known by.
    "organizations.check_domain": Case(
        lambda s, domain: _checked(s, domain),
        (("domain.proven", "domain"), ("domain.proven", "organization")),
        _claimed,
    ),
    "organizations.accept_domain": Case(
        lambda s, domain: organizations.accept_domain(s.root, reason="seen by phone", **_of(s, domain)),
        (("domain.accepted", "domain"),),
        _claimed,
    ),
    "organizations.recheck_domains": Case(
        lambda s, _: _rechecked(s), (("domain.rechecked", "domain"),), _proven_long_ago
    ),
    "organizations.remove_domain": Case(
        lambda s, domain: organizations.remove_domain(s.ada, **_of(s, domain)),
        (("domain.removed", "domain"),),
        _claimed,
    ),
    "organizations.blast_radius": Case(
        lambda s, given: organizations.blast_radius(s.ada, **_of(s, given[0])), (), _candidate
    ),
    "organizations.joining_roles": Case(
        lambda s, _: organizations.joining_roles(s.ada, organization_id=s.northwind), (), None
    ),
    "organizations.set_joining": Case(
        lambda s, given: organizations.set_joining(s.ada, enabled=True, expected=[given[1]], **_of(s, given[0])),
        (("domain.joining_changed", "domain"), ("domain.joining_changed", "membership")),
        _candidate,
    ),
    "organizations.request_domain_join": Case(
        lambda s, _: organizations.request_domain_join(ORIGIN, email=f"lee@{DOMAIN_NAME}"), (), _joining
    ),
    "organizations.domain_invitation": Case(
        lambda s, token: organizations.domain_invitation(ORIGIN, token=token), (), _link
    ),
    "organizations.join_by_domain": Case(
        lambda s, token: _joined(token),
        (("membership.joined_by_domain", "user"), ("membership.joined_by_domain", "membership")),
        _link,
    ),
    "organizations.join_requests": Case(lambda s, _: organizations.join_requests(s.ada, organization_id=s.northwind)),
    "organizations.approve_join": Case(
        lambda s, waiting: organizations.approve_join(s.ada, organization_id=s.northwind, membership_id=waiting),
        (("membership.approved", "membership"),),
        _waiting,
    ),
    "organizations.decline_join": Case(
        lambda s, waiting: organizations.decline_join(
            s.ada, organization_id=s.northwind, membership_id=waiting, reason="nobody knows them"
        ),
        (("membership.declined", "membership"),),
        _waiting,
    ),
}
STATEMENTS: dict[str, list[tuple[str, str]]] = {
    "organization_domains": [
        ("nexa_tenant", "INSERT INTO organization_domains (organization_id, domain) VALUES (%(org)s, 'x.example')"),
        ("nexa_tenant", "UPDATE organization_domains SET auto_join_enabled = true"),
        ("nexa_tenant", "DELETE FROM organization_domains"),
    ],
}
