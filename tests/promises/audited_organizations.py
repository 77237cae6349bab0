"""What the verbs of organizations and their members leave in the audit log."""

from __future__ import annotations

from nexa_core import organizations
from tests.promises.audited_rows import Case, Stage

DOMAIN = organizations
NO_VERBS = {
    "organizations.as_json",
    "organizations.change_of_plan",
    "organizations.contrast_warnings",
    "organizations.ink_on",
    "organizations.is_color",
    "organizations.is_tax_id_checked",
    "organizations.limits_of",
    "organizations.subscription_of",
}


def _suspended_member(stage: Stage) -> None:
    organizations.suspend_member(stage.ada, reason="left", **stage.of_bob)


CASES: dict[str, Case] = {
    "organizations.browse": Case(lambda s, _: organizations.browse(s.root)),
    "organizations.current": Case(lambda s, _: organizations.current(s.ada)),
    "organizations.get": Case(lambda s, _: organizations.get(s.root, organization_id=s.northwind)),
    "organizations.members": Case(lambda s, _: organizations.members(s.ada, organization_id=s.northwind)),
    "organizations.summary": Case(lambda s, _: organizations.summary(s.ada)),
    "organizations.rename": Case(
        lambda s, _: organizations.rename(s.ada, name="New"), (("organization.renamed", "organization"),)
    ),
    "organizations.suspend": Case(
        lambda s, _: organizations.suspend(s.root, organization_id=s.northwind, reason="unpaid"),
        (("organization.suspended", "organization"),),
    ),
    "organizations.resume": Case(
        lambda s, _: organizations.resume(s.root, organization_id=s.northwind, reason="paid"),
        (("organization.resumed", "organization"),),
        lambda s: organizations.suspend(s.root, organization_id=s.northwind, reason="unpaid"),
    ),
    "organizations.change_role": Case(
        lambda s, _: organizations.change_role(s.ada, role="viewer", **s.of_bob),
        (("membership.role_changed", "membership"),),
    ),
    "organizations.suspend_member": Case(lambda s, _: _suspended_member(s), (("membership.suspended", "membership"),)),
    "organizations.resume_member": Case(
        lambda s, _: organizations.resume_member(s.ada, reason="back", **s.of_bob),
        (("membership.resumed", "membership"),),
        _suspended_member,
    ),
    "organizations.remove_member": Case(
        lambda s, _: organizations.remove_member(s.ada, reason="gone", **s.of_bob),
        (("membership.removed", "membership"),),
    ),
}
STATEMENTS: dict[str, list[tuple[str, str]]] = {
    "organizations": [
        ("nexa_staff", "INSERT INTO organizations (name, slug) VALUES ('New', 'new')"),
        ("nexa_tenant", "UPDATE organizations SET name = 'New' WHERE id = %(org)s"),
    ],
    "organization_memberships": [
        (
            "nexa_staff",
            "INSERT INTO organization_memberships (user_id, organization_id) SELECT id, %(org)s FROM users"
            " WHERE email = 'root@nexa.example'",
        ),
        ("nexa_tenant", "UPDATE organization_memberships SET role = 'viewer' WHERE user_id = %(bob)s"),
        ("nexa_tenant", "DELETE FROM organization_memberships WHERE user_id = %(bob)s"),
    ],
    "organization_domains": [
        ("nexa_tenant", "INSERT INTO organization_domains (organization_id, domain) VALUES (%(org)s, 'x.example')"),
        ("nexa_tenant", "UPDATE organization_domains SET auto_join_enabled = true"),
        ("nexa_tenant", "DELETE FROM organization_domains"),
    ],
}
