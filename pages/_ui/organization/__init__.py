"""The tabs of one organization's page, a file each with ``draw(actor, organization)``."""
