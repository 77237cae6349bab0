"""Every setting NEXA has: read once from the environment, checked, with a default; listed in the README."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from base64 import urlsafe_b64decode
from functools import cached_property, lru_cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from nexa_core.errors import Misconfigured

ROOT = Path(__file__).resolve().parents[1]
MAKE_SEAL_KEY = ".venv/bin/python -c \"import secrets; print('s1:' + secrets.token_urlsafe(32))\""
MAKE_KEYS = ".venv/bin/python -c \"import secrets; print('k1:' + secrets.token_urlsafe(48))\""

_SECRET_LENGTH = 32
_DEFAULT_WORDS = (
    "change",
    "secret",
    "example",
    "default",
    "password",
    "insecure",
    "your",
    "dummy",
    "12345678",
    "abcdefgh",
)

Hosts = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """What the environment says. A field's alias is the name of its variable."""

    model_config = SettingsConfigDict(
        env_prefix="NEXA_", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    database_url: str | None = Field(None, validation_alias="DATABASE_URL", repr=False)
    read_database_url: str | None = Field(None, repr=False)
    migrate_database_url: str | None = Field(None, repr=False)
    pool_size: int = Field(10, ge=1, le=1000)
    data_dir: Path = ROOT / ".nexa"
    demo: bool | None = None

    secret_keys: str | None = Field(None, repr=False)
    seal_key: str | None = Field(None, repr=False)
    audit_archive: Path | None = None
    sign_in_hours: float = Field(12, gt=0, le=24 * 90)
    failed_sign_ins: int = Field(5, ge=1, le=100)
    account_managers_see: Literal["all", "own"] = "all"
    usage_months: int | None = Field(None, ge=3)

    public_url: str = "http://localhost:8501"
    allowed_hosts: Hosts = ()
    trusted_proxies: Hosts = ()
    metrics_token: str | None = Field(None, repr=False)

    dns_resolver: str | None = None

    smtp_url: str | None = Field(None, repr=False)
    mail_from: str = "NEXA <nexa@localhost>"

    log_format: Literal["console", "json"] = "console"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("allowed_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(filter(None, (part.strip() for part in value.split(",")))) if isinstance(value, str) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("database_url", "read_database_url", "migrate_database_url")
    @classmethod
    def _is_postgresql(cls, value: str | None) -> str | None:
        if value is None:
            return None
        scheme, separator, rest = value.partition("://")
        if not separator or scheme.partition("+")[0] not in ("postgresql", "postgres"):
            raise ValueError("must be a PostgreSQL URL such as postgresql://user:password@host:5432/nexa")
        return f"postgresql://{rest}"

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ip_network(network, strict=False)
            except ValueError:
                raise ValueError(f"{network!r} is neither an address nor a network such as 10.0.0.0/8") from None
        return value

    @field_validator("dns_resolver")
    @classmethod
    def _is_resolver(cls, value: str | None) -> str | None:
        address, port = value or "", "53"
        if address.count(":") == 1:
            address, _, port = address.partition(":")
        try:
            if value is not None:
                ip_address(address)
                if not 0 < int(port) < 65536:
                    raise ValueError
        except ValueError:
            raise ValueError("must be the address of a DNS server such as 9.9.9.9 or 127.0.0.1:5353") from None
        return value

    @field_validator("public_url")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an address such as https://nexa.example")
        return value.rstrip("/")

    @field_validator("data_dir", "audit_archive")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return Path(os.path.abspath(value.expanduser())) if value else None

    @field_validator("seal_key")
    @classmethod
    def _seals(cls, value: str | None) -> str | None:
        for kid, secret in _parse_keys(value, MAKE_SEAL_KEY).items() if value else ():
            try:
                length = len(urlsafe_b64decode(secret + "=" * (-len(secret) % 4)))
            except ValueError:
                length = 0
            if length != 32 or len(set(secret)) < 10 or len(kid) > 50:
                raise ValueError(f"key {kid[:50]!r} is not 32 random bytes; make one with: {MAKE_SEAL_KEY}")
        return value

    @field_validator("secret_keys")
    @classmethod
    def _strong(cls, value: str | None) -> str | None:
        for kid, secret in _parse_keys(value).items() if value else ():
            if len(secret) < _SECRET_LENGTH:
                raise ValueError(f"key {kid!r} is shorter than {_SECRET_LENGTH} characters; make one with: {MAKE_KEYS}")
            if len(set(secret)) < 10 or any(word in secret.lower() for word in _DEFAULT_WORDS):
                raise ValueError(f"key {kid!r} looks like a default and can be guessed; make one with: {MAKE_KEYS}")
        return value

    @model_validator(mode="after")
    def _own_host_is_allowed(self) -> Settings:
        host = urlsplit(self.public_url).hostname or ""
        own = f"[{host}]" if ":" in host else host
        default = ("localhost", "127.0.0.1", "[::1]")
        self.__dict__["allowed_hosts"] = tuple(dict.fromkeys((*(self.allowed_hosts or default), own)))
        return self

    @property
    def demo_mode(self) -> bool:
        """Whether the demo world is made and offered: unless told, exactly when NEXA brings its own database."""
        return self.demo if self.demo is not None else self.database_url is None

    @property
    def embedded(self) -> bool:
        """Whether NEXA brings its own PostgreSQL."""
        return self.database_url is None

    @property
    def secure(self) -> bool:
        """Whether browsers reach NEXA over TLS, so that cookies are Secure and __Host-."""
        return self.public_url.startswith("https://")

    @cached_property
    def signing_keys(self) -> dict[str, str]:
        """Key id to secret, in order: the first signs, all verify.

        Raises Misconfigured when there is none, except in demo mode, which makes its own.
        """
        if self.secret_keys:
            return _parse_keys(self.secret_keys)
        if self.demo_mode:
            return _own_keys(self.data_dir, "secrets.json", 48, "everybody signs in again")
        raise Misconfigured(f"Set NEXA_SECRET_KEYS, which signs tokens; make a value with: {MAKE_KEYS}")

    @cached_property
    def seal_keys(self) -> dict[str, bytes]:
        """Key id to the 32 bytes of an Ed25519 key: the first seals the audit log, all verify. Empty when none is set,
        except in demo mode, which makes its own."""
        keys = _parse_keys(self.seal_key, MAKE_SEAL_KEY) if self.seal_key else {}
        if not keys and self.demo_mode:
            keys = _own_keys(self.data_dir, "seal-keys.json", 32, "no seal can be checked any more")
        return {kid: urlsafe_b64decode(secret + "=" * (-len(secret) % 4)) for kid, secret in keys.items()}

    @property
    def archive_dir(self) -> Path:
        """Where entries of the audit log go before they expire."""
        return self.audit_archive or self.data_dir / "audit-archive"

    def derived_secret(self, purpose: str) -> str:
        """A secret of its own for one purpose, the same in every process that has the same first key."""
        first = next(iter(self.signing_keys.values()))
        return hmac.new(first.encode(), purpose.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process. Raises Misconfigured, naming the variable, for a value that cannot be used."""
    try:
        return Settings()
    except ValidationError as invalid:
        raise Misconfigured(_sentence(invalid)) from None


def variable_of(field: str) -> str:
    """The environment variable that sets a field."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"NEXA_{field.upper()}"


def _sentence(invalid: ValidationError) -> str:
    error = invalid.errors(include_input=False, include_url=False)[0]
    place = str(error["loc"][0]) if error["loc"] else ""
    variable = variable_of(place) if place in Settings.model_fields else place
    message = error["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    return f"{variable} cannot be used: {message.removeprefix('input ').rstrip('.')}."


def _parse_keys(value: str, make: str = MAKE_KEYS) -> dict[str, str]:
    keys: dict[str, str] = {}
    for part in value.split(","):
        kid, separator, secret = part.strip().partition(":")
        if not separator or not kid or kid in keys:
            raise ValueError(f"it reads kid:secret,kid2:secret2 with different kids; make one with: {make}")
        keys[kid] = secret
    return keys


def _own_keys(data_dir: Path, name: str, length: int, loss: str) -> dict[str, str]:
    """The keys demo mode made for itself, readable by this user alone; made now if there are none yet.

    ``loss`` says what deleting a damaged file costs.
    """
    path = data_dir / name
    try:
        data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
        if not path.exists():
            new = data_dir / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump({"signing_keys": {"demo": secrets.token_urlsafe(length)}}, file)
            try:
                os.link(new, path)  # whoever is first wins, and nobody ever reads half a file
            except FileExistsError:
                pass
            finally:
                new.unlink()
        path.chmod(0o600)
        keys: dict[str, str] = json.loads(path.read_text())["signing_keys"]
    except OSError as error:
        raise Misconfigured(
            f"The data folder {data_dir} cannot be written ({error.strerror}); "
            "make it writable or set NEXA_DATA_DIR to another."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise Misconfigured(f"The file {path} is damaged; delete it and {loss}.") from None
    return keys
