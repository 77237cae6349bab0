"""Every mapped table in one import: what Alembic compares with, and what a program imports before its first query."""

import nexa_core.accounts.models
import nexa_core.architecture_sessions.models
import nexa_core.architecture_sessions.share_models
import nexa_core.audit.models
import nexa_core.billing.models
import nexa_core.billing.reports.models
import nexa_core.notifications.models
import nexa_core.organizations.models
import nexa_core.usage.models
from nexa_core.orm import Base

metadata = Base.metadata

__all__ = ["metadata"]
