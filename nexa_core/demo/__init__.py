"""The demo world: a platform with twelve customers that starts in seconds, tells a story and holds nothing real."""

from nexa_core.demo.accounts import ACCOUNTS, PASSWORD, DemoAccount
from nexa_core.demo.seeding import seed

__all__ = ["ACCOUNTS", "PASSWORD", "DemoAccount", "seed"]
