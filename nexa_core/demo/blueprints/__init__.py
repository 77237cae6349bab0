"""Fourteen kinds of project; with twelve trades and sixty clients every session of the demo is a different one."""

from nexa_core.demo.blueprints import engagement, information, operations
from nexa_core.demo.blueprints.blueprint import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = (*engagement.BLUEPRINTS, *information.BLUEPRINTS, *operations.BLUEPRINTS)

__all__ = ["BLUEPRINTS", "Blueprint"]
