"""What the verbs of organizations leave in the audit log; those of members and domains have tables of their own."""

from __future__ import annotations

import io
from uuid import UUID

from PIL import Image

from nexa_core import organizations
from nexa_core.organizations import Batch, Filter
from tests.promises.audited_rows import Case, EndpointCase, Stage, bearer, reads

DOMAIN = organizations
NO_VERBS = {
    "organizations.as_json",
    "organizations.change_of_plan",
    "organizations.contrast_warnings",
    "organizations.ink_on",
    "organizations.is_color",
    "organizations.is_tax_id_checked",
    "organizations.limits_of",
    "organizations.offers_joining",
    "organizations.subscription_of",
}
ADMIN = "root@nexa.example"


def _suspended(stage: Stage) -> None:
    organizations.suspend(stage.root, organization_id=stage.northwind, reason="unpaid")


def _deleted(stage: Stage) -> None:
    organizations.delete(stage.root, organization_id=stage.northwind, confirmation="northwind", reason="left")


def _picture() -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (8, 8)).save(sink, "PNG")
    return sink.getvalue()


def _logo(stage: Stage) -> str:
    """The digest of a stored logo."""
    stored = organizations.store_logo(stage.ada, organization_id=stage.northwind, content=_picture())
    return stored.rpartition("/")[2]


def _both(stage: Stage) -> organizations.Preview:
    return organizations.preview_change(
        stage.root, kind="plan", organization_ids=[stage.northwind, stage.elsewhere], value="enterprise"
    )


def _batch(stage: Stage) -> UUID:
    done: Batch = organizations.apply_batch(stage.root, preview=_both(stage), reason="a trial")
    return done.id


def _business(stage: Stage) -> None:
    organizations.update_business(
        stage.ada, organization_id=stage.northwind, address={"street": "1 Quay", "country": "DE"}, tax_id="",
        billing_email="bills@northwind.example", time_zone="UTC",
    )  # fmt: skip


def _limits(stage: Stage) -> None:
    organizations.update_limits(
        stage.root, organization_id=stage.northwind, monthly_credits=500, seats=20, hard=False, event_limits={},
        features={}, reason="as agreed",
    )  # fmt: skip


def _subscription(stage: Stage) -> None:
    organizations.update_subscription(
        stage.root, organization_id=stage.northwind, status="past_due", trial_ends_on=None, renews_on=None, seats=10,
        contract_notes="by phone", reason="as agreed",
    )  # fmt: skip


def _created(stage: Stage) -> None:
    organizations.create(stage.root, name="Fresh", slug="fresh", plan="starter", owner_email="kim@fresh.example")


def _asked(stage: Stage) -> dict[str, object]:
    return {"organization_id": stage.northwind, "email": "bob@northwind.example"}


CASES: dict[str, Case] = {
    "organizations.browse": Case(lambda s, _: organizations.browse(s.root)),
    "organizations.current": Case(lambda s, _: organizations.current(s.ada)),
    "organizations.get": Case(lambda s, _: organizations.get(s.root, organization_id=s.northwind)),
    "organizations.summary": Case(lambda s, _: organizations.summary(s.ada)),
    "organizations.health": Case(lambda s, _: organizations.health(s.ada, organization=organizations.current(s.ada))),
    "organizations.account_managers": Case(lambda s, _: organizations.account_managers(s.root)),
    "organizations.matching": Case(lambda s, _: organizations.matching(s.root, Filter())),
    "organizations.check_slug": Case(lambda s, _: organizations.check_slug(s.root, slug="fresh")),
    "organizations.suggest_slug": Case(lambda s, _: organizations.suggest_slug(s.root, name="Fresh")),
    "organizations.create": Case(
        lambda s, _: _created(s),
        (("organization.created", "organization"), ("organization.created", "user"),
         ("organization.created", "membership")),
    ),
    "organizations.rename": Case(
        lambda s, _: organizations.rename(s.ada, name="New"), (("organization.renamed", "organization"),)
    ),
    "organizations.update_profile": Case(
        lambda s, _: organizations.update_profile(s.ada, organization_id=s.northwind, name="New", slug="new-slug"),
        (("organization.renamed", "organization"), ("organization.slug_changed", "organization")),
    ),
    "organizations.update_branding": Case(
        lambda s, _: organizations.update_branding(
            s.ada, organization_id=s.northwind, logo_url=None, brand_colors={"primary": "#112233"}
        ),
        (("organization.branding_changed", "organization"),),
    ),
    "organizations.store_logo": Case(lambda s, _: _logo(s), (("organization.branding_changed", "organization"),)),
    "organizations.logo": Case(
        lambda s, digest: organizations.logo(s.ada, organization_id=s.northwind, digest=digest), (), _logo
    ),
    "organizations.update_business": Case(
        lambda s, _: _business(s), (("organization.business_changed", "organization"),)
    ),
    "organizations.preview_plan": Case(
        lambda s, _: organizations.preview_plan(s.root, organization_id=s.northwind, plan="free")
    ),
    "organizations.change_plan": Case(
        lambda s, _: organizations.change_plan(
            s.root, organization_id=s.northwind, plan="enterprise", expected="professional", reason="upgrade"
        ),
        (("organization.plan_changed", "organization"),),
    ),
    "organizations.update_subscription": Case(
        lambda s, _: _subscription(s), (("organization.subscription_changed", "organization"),)
    ),
    "organizations.set_tags": Case(
        lambda s, _: organizations.set_tags(s.root, organization_id=s.northwind, tags=["key account"]),
        (("organization.tagged", "organization"),),
    ),
    "organizations.update_limits": Case(lambda s, _: _limits(s), (("organization.limits_changed", "organization"),)),
    "organizations.watch_limits": Case(
        lambda s, _: organizations.watch_limits(s.root, organization_id=s.northwind, watching=True, reason="a trial"),
        (("organization.limits_changed", "organization"),),
    ),
    "organizations.suspend": Case(lambda s, _: _suspended(s), (("organization.suspended", "organization"),)),
    "organizations.resume": Case(
        lambda s, _: organizations.resume(s.root, organization_id=s.northwind, reason="paid"),
        (("organization.resumed", "organization"),),
        _suspended,
    ),
    "organizations.consequences_of_deletion": Case(
        lambda s, _: organizations.consequences_of_deletion(s.root, organization_id=s.northwind)
    ),
    # Whose sign-ins end with it; a sign-in says so itself.
    "organizations.delete": Case(lambda s, _: _deleted(s), (("organization.deleted", "organization"),)),
    "organizations.restore": Case(
        lambda s, _: organizations.restore(s.root, organization_id=s.northwind, reason="back"),
        (("organization.restored", "organization"),),
        _deleted,
    ),
    "organizations.preview_change": Case(lambda s, _: _both(s)),
    "organizations.apply_batch": Case(
        lambda s, preview: organizations.apply_batch(s.root, preview=preview, reason="a trial"),
        (("organization.plan_changed", "organization"),) * 2 + (("organizations.changed", "batch"),),
        _both,
    ),
    "organizations.batches": Case(lambda s, _: organizations.batches(s.root), (), _batch),
    "organizations.preview_undo": Case(
        lambda s, batch: organizations.preview_undo(s.root, batch_id=batch), (), _batch
    ),
    "organizations.undo_batch": Case(
        lambda s, batch: organizations.undo_batch(s.root, batch_id=batch, reason="it is over"),
        (("organization.plan_changed", "organization"),) * 2 + (("organizations.change_undone", "batch"),),
        _batch,
    ),
    "organizations.export": Case(
        lambda s, _: organizations.export(s.root, wanted=Filter()).close(),
        (("organizations.exported", "organization"),),
    ),
    "organizations.resources": Case(lambda s, _: organizations.resources(s.ada, organization_id=s.northwind)),
    "organizations.explain_access": Case(
        lambda s, _: organizations.explain_access(s.ada, **_asked(s), permission="sessions.read")  # type: ignore[arg-type]
    ),
    "organizations.what_if": Case(lambda s, _: organizations.what_if(s.ada, **_asked(s), role="admin")),  # type: ignore[arg-type]
}  # fmt: skip
STATEMENTS: dict[str, list[tuple[str, str]]] = {
    "organizations": [
        ("nexa_staff", "INSERT INTO organizations (name, slug) VALUES ('New', 'new')"),
        ("nexa_tenant", "UPDATE organizations SET name = 'New' WHERE id = %(org)s"),
    ],
}
ENDPOINTS: dict[str, EndpointCase] = {
    "GET /organizations": reads("/api/organizations", email=ADMIN),
    "GET /organizations/{organization_id:uuid}": reads("/api/organizations/{northwind}"),
    "GET /organizations/export.csv": reads(
        "/api/organizations/export.csv", ("organizations.exported", "organization"), email=ADMIN
    ),
    "GET /organizations/export.xlsx": reads(
        "/api/organizations/export.xlsx", ("organizations.exported", "organization"), email=ADMIN
    ),
    "GET /organizations/{organization_id}/logo/{digest}": EndpointCase(
        lambda client, stage, given: client.get(
            f"/api/organizations/{stage.northwind}/logo/{given[0]}", headers=given[1]
        ),
        (),
        lambda stage: (_logo(stage), bearer(stage)),
    ),
}
