"""Settings: each is in the README, each wrong one is refused in a sentence that names it, secrets stay secret."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from nexa_core.config import ROOT, Settings, settings, variable_of
from nexa_core.errors import Misconfigured

GOOD_KEY = "k1:Zr7-wQ2mXn4vTb9yLc6kHd3fGs8jPa1e"
OTHER_KEY = "k2:Bt5_nMw8xRq2zVy7cKj4hLg9dFs6uEo3"


def readme_settings() -> dict[str, str]:
    """Variable to default, from the README's table of settings."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| .+ \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    return dict(rows)


def test_every_setting_is_in_the_readme() -> None:
    assert set(readme_settings()) == {variable_of(field) for field in Settings.model_fields}


@pytest.mark.parametrize(
    ("field", "shown"),
    [(name, field.default) for name, field in Settings.model_fields.items() if isinstance(field.default, str | int)],
)
def test_the_readme_names_the_default(field: str, shown: object) -> None:
    assert f"`{shown}`" in readme_settings()[variable_of(field)]


def test_no_setting_is_read_anywhere_else() -> None:
    offenders = [
        str(path.relative_to(ROOT))
        for folder in ("nexa_core", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"os\.(environ\[|environ\.get|getenv)", path.read_text()) and path.name != "config.py"
    ]
    assert offenders == []


def test_demo_mode_is_the_default_exactly_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().demo_mode
    monkeypatch.setenv("DATABASE_URL", "postgresql://nexa@db/nexa")
    assert not Settings().demo_mode
    monkeypatch.setenv("NEXA_DEMO", "1")
    assert Settings().demo_mode
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("NEXA_DEMO", "0")
    assert not Settings().demo_mode


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("NEXA_POOL_SIZE", "many", "integer"),
        ("NEXA_POOL_SIZE", "0", "greater than or equal to 1"),
        ("NEXA_DEMO", "perhaps", "boolean"),
        ("NEXA_TRUSTED_PROXIES", "10.0.0.0/8, proxy", "neither an address nor a network"),
        ("NEXA_LOG_FORMAT", "xml", "'console' or 'json'"),
        ("NEXA_PUBLIC_URL", "nexa.example", "https://nexa.example"),
        ("NEXA_SECRET_KEYS", "k1:short", "shorter than 32"),
        ("NEXA_SECRET_KEYS", "k1:" + "a" * 40, "can be guessed"),
        ("NEXA_SECRET_KEYS", "k1:change-me-change-me-change-me-0123456789", "can be guessed"),
        ("NEXA_SECRET_KEYS", "no-key-id-at-all-but-long-enough-0123", "kid:secret"),
        ("NEXA_SECRET_KEYS", f"{GOOD_KEY},{GOOD_KEY}", "different kids"),
        ("DATABASE_URL", "mysql://root@db/nexa", "postgresql://"),
        ("DATABASE_URL", "db.example", "postgresql://"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured) as refusal:
        settings()
    assert refusal.value.sentence.startswith(variable)
    assert says in refusal.value.sentence
    assert "\n" not in refusal.value.sentence


def test_outside_demo_mode_secrets_are_demanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXA_DEMO", "0")
    with pytest.raises(Misconfigured, match="NEXA_SECRET_KEYS"):
        _ = Settings().signing_keys


def test_the_first_key_signs_and_all_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXA_SECRET_KEYS", f"{OTHER_KEY}, {GOOD_KEY}")
    assert list(Settings().signing_keys) == ["k2", "k1"]
    one = Settings().derived_secret("cookie")
    assert one != Settings().derived_secret("other")
    monkeypatch.setenv("NEXA_SECRET_KEYS", GOOD_KEY)
    assert Settings().derived_secret("cookie") != one


def test_demo_mode_makes_its_own_secrets_and_keeps_them_to_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEXA_DATA_DIR", str(tmp_path / "data"))
    first = Settings().signing_keys
    assert all(len(secret) >= 32 for secret in first.values())
    assert Settings().signing_keys == first
    assert stat.S_IMODE((tmp_path / "data" / "secrets.json").stat().st_mode) == 0o600


def test_a_damaged_secrets_file_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEXA_DATA_DIR", str(tmp_path))
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(Misconfigured, match="damaged"):
        _ = Settings().signing_keys


def test_secrets_do_not_show_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    canary = "canary-Zr7wQ2mXn4vTb9yLc6kHd3fGs8jPa1e"
    for variable in ("NEXA_METRICS_TOKEN", "NEXA_SECRET_KEYS"):
        monkeypatch.setenv(variable, f"k1:{canary}")
    for variable in ("DATABASE_URL", "NEXA_READ_DATABASE_URL", "NEXA_MIGRATE_DATABASE_URL"):
        monkeypatch.setenv(variable, f"postgresql://nexa:{canary}@db/nexa")
    monkeypatch.setenv("NEXA_SMTP_URL", f"smtp://nexa:{canary}@mail")
    assert canary not in repr(Settings())


def test_hosts_are_ours_and_the_public_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().allowed_hosts == ("localhost", "127.0.0.1", "[::1]")
    monkeypatch.setenv("NEXA_PUBLIC_URL", "https://nexa.example/")
    assert Settings().allowed_hosts[-1] == "nexa.example"
    assert Settings().public_url == "https://nexa.example"
    assert Settings().secure
    monkeypatch.setenv("NEXA_ALLOWED_HOSTS", "one.example, two.example")
    assert Settings().allowed_hosts == ("one.example", "two.example", "nexa.example")
