"""What customers pay for: plans and allowances."""

from nexa_core.billing.plans import PLANS, Plan, Subscriber, allowance, is_hard, seats

__all__ = ["PLANS", "Plan", "Subscriber", "allowance", "is_hard", "seats"]
