"""Passwords: how they are kept, checked and refused.

Argon2id with the parameters OWASP names for interactive use (19 MiB, two passes, one lane). A bcrypt hash as made by
streamlit-authenticator's Hasher is still accepted and replaced at the next sign-in. Length and a blocklist instead of
composition rules: NIST SP 800-63B, section 3.1.1.2.
"""

from __future__ import annotations

import os
import threading
import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from prometheus_client import Counter

from nexa_core.errors import Invalid

MINIMUM_LENGTH = 15
MAXIMUM_LENGTH = 256
ARGON2_MEMORY_KIB = 19 * 1024
ARGON2_PASSES = 2
ARGON2_LANES = 1

SERVICE_NAME = "nexa"
#: Longer input cannot be anybody's password; it is cut before any work is spent on it.
_LONGEST_INPUT = 4 * MAXIMUM_LENGTH
_BCRYPT_BYTES = 72

#: Every comparison of a password with a hash, the dummy included: what a test of the lock counts.
VERIFICATIONS = Counter("nexa_password_verifications", "Passwords compared with a hash", ["scheme"])

_hasher = PasswordHasher(
    time_cost=ARGON2_PASSES, memory_cost=ARGON2_MEMORY_KIB, parallelism=ARGON2_LANES, hash_len=32, salt_len=16
)
# A hash needs its memory and a core for as long as it runs: more at once would only be slower and larger.
_hashing = threading.BoundedSemaphore(2 * (os.cpu_count() or 1))


def hash_password(password: str) -> str:
    """The Argon2id hash to store; says nothing about whether the password is a good one (see ``require_good``)."""
    with _hashing:
        return _hasher.hash(_canonical(password))


def verify(password: str, stored: str | None) -> bool:
    """Whether this is the password behind the stored hash.

    Without a stored hash the same work is done against a hash nobody has, so that the answer takes as long.
    """
    password = password[:_LONGEST_INPUT]
    if stored and stored.startswith("$2"):
        VERIFICATIONS.labels("bcrypt").inc()
        return _is_bcrypt_of(password, stored)
    VERIFICATIONS.labels("argon2id").inc()
    with _hashing:
        try:
            return _hasher.verify(stored or _nobodys_hash(), _canonical(password)) and stored is not None
        except (Argon2Error, InvalidHashError):
            return False


def needs_rehash(stored: str) -> bool:
    """Whether a hash is of an older scheme or weaker parameters and should be replaced while the password is known."""
    return not stored.startswith("$argon2id$") or _hasher.check_needs_rehash(stored)


def require_good(password: str, *, email: str = "", names: tuple[str, ...] = ()) -> None:
    """Raise Invalid unless this may become the password of the person with that address and those names."""
    password = _canonical(password)
    if len(password) < MINIMUM_LENGTH:
        raise Invalid(
            f"A password needs at least {MINIMUM_LENGTH} characters; a short sentence is a good one.", field="password"
        )
    if len(password) > MAXIMUM_LENGTH:
        raise Invalid(f"A password has at most {MAXIMUM_LENGTH} characters.", field="password")
    folded = _folded(password)
    if _is_predictable(password.casefold()) or _is_predictable(folded) or _is_common(folded):
        raise Invalid("This password is one of the first that would be guessed; choose another one.", field="password")
    if _is_about(folded, email, names):
        raise Invalid(
            "This password consists of your name, your address or the name of this service; choose another one.",
            field="password",
        )


def _canonical(password: str) -> str:
    """The same characters typed on another keyboard are the same password: Unicode NFKC."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _is_bcrypt_of(password: str, stored: str) -> bool:
    # Hashes of longer passwords come from bcrypt 4, which cut them silently; bcrypt 5 raises instead.
    secret = password.encode("utf-8", "surrogatepass")[:_BCRYPT_BYTES]
    with _hashing:
        try:
            return bcrypt.checkpw(secret, stored.encode())
        except ValueError:
            return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(os.urandom(32))


@cache
def _common() -> frozenset[str]:
    lines = Path(__file__).with_name("common_passwords.txt").read_text().splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


_LEET = str.maketrans("0134578@$", "oleastbas")
#: Walks over a keyboard, the alphabet and the digits.
_TRACKS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
)
_STEPS = frozenset(pair for track in _TRACKS for way in (track, track[::-1]) for pair in pairwise(way))


def _is_predictable(text: str) -> bool:
    """A few characters, one short piece over and over, or a walk over the keyboard."""
    if len(set(text)) < 5:
        return True
    for size in range(1, len(text) // 2 + 1):
        if size <= 8 and (text[:size] * (len(text) // size + 1))[: len(text)] == text:
            return True
    steps = sum(a == b or (a, b) in _STEPS for a, b in pairwise(text))
    return steps >= 0.75 * (len(text) - 1)


def _is_common(folded: str) -> bool:
    letters = folded.strip("0123456789")
    return any(form in _common() for form in (folded, letters, folded.translate(_LEET), letters.translate(_LEET)))


def _is_about(folded: str, email: str, names: tuple[str, ...]) -> bool:
    """What is left without the service's and the person's own words would not be a password by itself."""
    local, _, domain = email.partition("@")
    words = {
        _folded(word)
        for word in (SERVICE_NAME, local, *domain.split("."), *names, *(p for n in names for p in n.split()))
    }
    rest = folded
    for word in sorted((w for w in words if len(w) >= 3), key=len, reverse=True):
        rest = rest.replace(word, "")
    return rest != folded and (len(rest.strip("0123456789")) < 8 or _is_common(rest) or _is_predictable(rest))
