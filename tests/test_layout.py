"""Whoever opens the repository knows where anything goes: what may lie where, and under which name."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOP_LEVEL = {
    *("app.py", "pages", "nexa_core", "migrations", "tests", "docs", "deploy"),
    *("requirements.txt", "pyproject.toml", "README.md", ".streamlit", ".ci", ".gitignore"),
}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
DOMAIN_DOORS = (
    "accounts", "architecture_sessions", "audit", "billing", "billing/reports", "demo", "jobs", "notifications",
    "organizations", "system", "usage",
)  # fmt: skip


def tracked() -> list[Path]:
    """Every file of the repository; new ones too, ignored ones not."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).exists()]
    kept = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())  # an archive without its history
    return [path for path in kept if not {".venv", ".nexa", "__pycache__", ".git"} & set(path.parts)]


SOURCES = [path for path in tracked() if path.suffix == ".py"]


def test_the_top_level_holds_what_the_design_names() -> None:
    assert {path.parts[0] for path in tracked()} <= TOP_LEVEL


def test_no_folder_pages_lies_beside_the_main_script() -> None:
    """Streamlit would take it for automatic pages, and a deep link would run a page without the gate."""
    source = ast.parse((ROOT / "app.py").read_text())
    (made,) = [
        node for node in ast.walk(source) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("App")
    ]
    assert ast.unparse(made.args[0]).endswith("/ 'pages' / '_shell.py'")
    main_script = ROOT / "pages" / "_shell.py"
    assert main_script.is_file()
    assert not (main_script.parent / "pages").exists()


def test_modules_are_named_after_what_lives_in_them() -> None:
    assert [str(path) for path in tracked() if path.stem in FORBIDDEN_NAMES] == []


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_module_says_what_lives_there(path: Path) -> None:
    source = (ROOT / path).read_text()
    assert not source.strip() or ast.get_docstring(ast.parse(source)), "a module's docstring says what lives there"


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_file_is_short(path: Path) -> None:
    lines = len((ROOT / path).read_text().splitlines())
    assert lines <= 450, "over 400 lines is a question: split it"


@pytest.mark.parametrize("domain", DOMAIN_DOORS)
def test_a_domain_has_a_front_door(domain: str) -> None:
    assert (ROOT / "nexa_core" / domain / "__init__.py").is_file()


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parts[0] == "pages"], ids=str)
def test_a_screen_is_thin(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert not imported & {"sqlalchemy", "psycopg"}
    if "_ui" not in path.parts and path.name != "_shell.py":
        assert not any(isinstance(node, ast.Try) for node in ast.walk(tree)), "the shell shows errors"
        assert "session_state" not in (ROOT / path).read_text(), "only pages/_ui touches st.session_state"


def test_the_core_does_not_know_streamlit() -> None:
    pattern = re.compile(r"^\s*(from|import) streamlit\b", re.MULTILINE)
    core = [path for path in SOURCES if path.parts[0] == "nexa_core"]
    assert [str(path) for path in core if pattern.search((ROOT / path).read_text())] == []


def test_a_bare_session_is_a_defect() -> None:
    """The word means four things; a variable or parameter of that name says which in no case."""
    offenders = []
    for path in SOURCES:
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            names = [node.arg] if isinstance(node, ast.arg) else []
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.append(node.id)
            offenders += [f"{path}:{node.lineno}" for name in names if name == "session"]  # type: ignore[attr-defined]
    assert offenders == []


def test_the_map_in_the_readme_names_every_folder_and_file_of_the_foundation() -> None:
    readme = (ROOT / "README.md").read_text()
    foundation = [path.name for path in (ROOT / "nexa_core").glob("*.py") if path.name != "__init__.py"]
    domains = [f"{path.parent.name}/" for path in (ROOT / "nexa_core").glob("*/__init__.py")]
    assert [name for name in foundation + domains if name not in readme] == []


def test_requirements_are_pinned_exactly() -> None:
    for name in ("requirements.txt", "tests/requirements.txt"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r "))]
        assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[0-9A-Za-z.]+", line)] == []
