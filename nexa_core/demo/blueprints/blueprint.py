"""What a blueprint is: one kind of project, in words that leave the trade open (``{people}``, ``{core}`` ...)."""

from __future__ import annotations

from dataclasses import dataclass

from nexa_core.architecture_sessions.documents import Priority


@dataclass(frozen=True, slots=True)
class Component:
    """``key`` is how the rest of the blueprint speaks of it; ``icon`` is a Material symbol."""

    key: str
    name: str
    description: str
    icon: str = "deployed_code"


@dataclass(frozen=True, slots=True)
class Need:
    """A requirement, and what it breaks down into; ``on`` are keys of components."""

    title: str
    description: str
    priority: Priority
    on: tuple[str, ...]
    parts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """A constraint, assumption, integration or risk."""

    title: str
    description: str
    priority: Priority
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """A deliverable: what it is, how one sees that it is done, and the components it delivers."""

    title: str
    description: str
    criteria: tuple[str, ...]
    on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Blueprint:
    key: str
    title: str
    goal: str
    tags: tuple[str, ...]
    components: tuple[Component, ...]
    flows: tuple[tuple[str, str, str], ...]
    needs: tuple[Need, ...]
    constraints: tuple[Note, ...]
    assumptions: tuple[Note, ...]
    integrations: tuple[Note, ...]
    risks: tuple[Note, ...]
    packages: tuple[Package, ...]
    excluded: tuple[str, ...]
