"""The diagrams and assets of a demo session: texts in Mermaid and DOT whose nodes are its components."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexa_core.architecture_sessions.documents import Asset, Diagram, Milestone, node

if TYPE_CHECKING:
    from nexa_core.demo.composing import Composition


def diagrams(architecture_session: Composition, milestones: list[Milestone]) -> list[Diagram]:
    """The flow, the deployment, the main conversation, and the timetable."""
    everything = list(architecture_session.components.values())
    spoken = [architecture_session.components[key] for flow in architecture_session.blueprint.flows for key in flow[:2]]
    return [
        Diagram(
            id=architecture_session.new("diagram"),
            title="How it fits together",
            language="mermaid",
            text=_flow(architecture_session),
            depicts=everything,
        ),
        Diagram(
            id=architecture_session.new("diagram"),
            title="What runs where",
            language="dot",
            text=_deployment(architecture_session),
            depicts=everything,
        ),
        Diagram(
            id=architecture_session.new("diagram"),
            title="One pass through the system",
            language="mermaid",
            text=_sequence(architecture_session),
            depicts=list(dict.fromkeys(spoken)),
        ),
        Diagram(
            id=architecture_session.new("diagram"),
            title="Timetable",
            language="mermaid",
            text=_timetable(architecture_session, milestones),
            depicts=[],
        ),
    ]


def assets(architecture_session: Composition, texts: list[Diagram]) -> list[Asset]:
    """A cover picture of the first diagram, the client's palette, an icon for each component."""
    first = texts[0]
    found: list[Asset] = [
        Asset(
            id=architecture_session.new("asset"),
            kind="diagram",
            title=f"{architecture_session.title}: overview",
            alt=f"The {len(architecture_session.components)} parts of the solution and what flows between them",
            diagram=first["id"],
        ),
        Asset(
            id=architecture_session.new("asset"),
            kind="palette",
            title="Colours",
            alt="Primary and accent colour",
            values=architecture_session.colors,
        ),
    ]
    for component in architecture_session.blueprint.components:
        name = architecture_session.say(component.name)
        found.append(
            Asset(
                id=architecture_session.new("asset"),
                kind="icon",
                title=name,
                alt=f"Icon of {name}",
                depicts=[architecture_session.components[component.key]],
                values={"material": component.icon},
            )
        )
    return found


def _names(architecture_session: Composition) -> dict[str, str]:
    return {
        component.key: architecture_session.say(component.name)
        for component in architecture_session.blueprint.components
    }


def _nodes(architecture_session: Composition) -> dict[str, str]:
    return {key: node(number) for key, number in architecture_session.components.items()}


def _flow(architecture_session: Composition) -> str:
    nodes, names = _nodes(architecture_session), _names(architecture_session)
    lines = ["flowchart TB"]  # seven boxes beside each other would be too small to read
    lines += [f'    {nodes[key]}["{names[key]}"]' for key in nodes]
    lines += [
        f'    {nodes[a]} -->|"{architecture_session.say(label)}"| {nodes[b]}'
        for a, b, label in architecture_session.blueprint.flows
    ]
    return "\n".join(lines)


def _sequence(architecture_session: Composition) -> str:
    nodes, names = _nodes(architecture_session), _names(architecture_session)
    spoken = dict.fromkeys(key for flow in architecture_session.blueprint.flows for key in flow[:2])
    lines = ["sequenceDiagram", "    autonumber"]
    lines += [f"    participant {nodes[key]} as {names[key]}" for key in spoken]
    lines += [
        f"    {nodes[a]}->>{nodes[b]}: {architecture_session.say(label)}"
        for a, b, label in architecture_session.blueprint.flows
    ]
    return "\n".join(lines)


def _deployment(architecture_session: Composition) -> str:
    """What is built stands in one cluster; what was there before stands outside."""
    nodes, names = _nodes(architecture_session), _names(architecture_session)
    inside = [key for key in nodes if key != "core"]
    lines = [
        "digraph deployment {",
        "    rankdir=LR;",
        '    node [shape=box, style="rounded"];',
        "    subgraph cluster_new {",
    ]
    lines += ['        label="Delivered by this project";']
    lines += [f'        {nodes[key]} [label="{names[key]}"];' for key in inside]
    lines += ["    }"]
    lines += [f'    {nodes[key]} [label="{names[key]}", style="dashed"];' for key in nodes if key not in inside]
    lines += [
        f'    {nodes[a]} -> {nodes[b]} [label="{architecture_session.say(label)}"];'
        for a, b, label in architecture_session.blueprint.flows
    ]
    return "\n".join([*lines, "}"])


def _timetable(architecture_session: Composition, milestones: list[Milestone]) -> str:
    lines = [
        "gantt",
        "    dateFormat YYYY-MM-DD",
        f"    title {architecture_session.title}",
        "    section Deliverables",
    ]
    begin = architecture_session.start.isoformat()
    for milestone in milestones:
        title = milestone["title"].removesuffix(" accepted").replace(":", " ").replace(",", "")
        lines.append(f"    {title} :{node(milestone['id'])}, {begin}, {milestone['due']}")
        begin = milestone["due"]
    return "\n".join(lines)
