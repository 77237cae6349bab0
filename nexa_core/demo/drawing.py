"""The diagrams and assets of a demo session: texts in Mermaid and DOT whose nodes are its components."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexa_core.architecture_sessions.documents import Asset, Diagram, Milestone, node

if TYPE_CHECKING:
    from nexa_core.demo.composing import Composition


def diagrams(session: Composition, milestones: list[Milestone]) -> list[Diagram]:
    """The flow, the deployment, the main conversation, and the timetable."""
    everything = list(session.components.values())
    spoken = [session.components[key] for flow in session.blueprint.flows for key in flow[:2]]
    return [
        Diagram(
            id=session.new("diagram"),
            title="How it fits together",
            language="mermaid",
            text=_flow(session),
            depicts=everything,
        ),
        Diagram(
            id=session.new("diagram"),
            title="What runs where",
            language="dot",
            text=_deployment(session),
            depicts=everything,
        ),
        Diagram(
            id=session.new("diagram"),
            title="One pass through the system",
            language="mermaid",
            text=_sequence(session),
            depicts=list(dict.fromkeys(spoken)),
        ),
        Diagram(
            id=session.new("diagram"),
            title="Timetable",
            language="mermaid",
            text=_timetable(session, milestones),
            depicts=[],
        ),
    ]


def assets(session: Composition, texts: list[Diagram]) -> list[Asset]:
    """A cover picture of the first diagram, the client's palette, an icon for each component."""
    first = texts[0]
    found: list[Asset] = [
        Asset(
            id=session.new("asset"),
            kind="diagram",
            title=f"{session.title}: overview",
            alt=f"The {len(session.components)} parts of the solution and what flows between them",
            diagram=first["id"],
        ),
        Asset(
            id=session.new("asset"),
            kind="palette",
            title="Colours",
            alt="Primary and accent colour",
            values=session.colors,
        ),
    ]
    for component in session.blueprint.components:
        name = session.say(component.name)
        found.append(
            Asset(
                id=session.new("asset"),
                kind="icon",
                title=name,
                alt=f"Icon of {name}",
                depicts=[session.components[component.key]],
                values={"material": component.icon},
            )
        )
    return found


def _names(session: Composition) -> dict[str, str]:
    return {component.key: session.say(component.name) for component in session.blueprint.components}


def _nodes(session: Composition) -> dict[str, str]:
    return {key: node(number) for key, number in session.components.items()}


def _flow(session: Composition) -> str:
    nodes, names = _nodes(session), _names(session)
    lines = ["flowchart LR"]
    lines += [f'    {nodes[key]}["{names[key]}"]' for key in nodes]
    lines += [f'    {nodes[a]} -->|"{session.say(label)}"| {nodes[b]}' for a, b, label in session.blueprint.flows]
    return "\n".join(lines)


def _sequence(session: Composition) -> str:
    nodes, names = _nodes(session), _names(session)
    spoken = dict.fromkeys(key for flow in session.blueprint.flows for key in flow[:2])
    lines = ["sequenceDiagram", "    autonumber"]
    lines += [f"    participant {nodes[key]} as {names[key]}" for key in spoken]
    lines += [f"    {nodes[a]}->>{nodes[b]}: {session.say(label)}" for a, b, label in session.blueprint.flows]
    return "\n".join(lines)


def _deployment(session: Composition) -> str:
    """What is built stands in one cluster; what was there before stands outside."""
    nodes, names = _nodes(session), _names(session)
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
        f'    {nodes[a]} -> {nodes[b]} [label="{session.say(label)}"];' for a, b, label in session.blueprint.flows
    ]
    return "\n".join([*lines, "}"])


def _timetable(session: Composition, milestones: list[Milestone]) -> str:
    lines = ["gantt", "    dateFormat YYYY-MM-DD", f"    title {session.title}", "    section Deliverables"]
    begin = session.start.isoformat()
    for milestone in milestones:
        title = milestone["title"].removesuffix(" accepted").replace(":", " ").replace(",", "")
        lines.append(f"    {title} :{node(milestone['id'])}, {begin}, {milestone['due']}")
        begin = milestone["due"]
    return "\n".join(lines)
