"""E-mail addresses as people paste them: one spelling for each, or the reason why it cannot be used."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import parseaddr

import idna

from nexa_core.errors import Invalid
from nexa_core.permissions import MEMBERSHIP_ROLES

#: RFC 5321: the part before the @, the domain, and the whole as it fits the column.
_LONGEST_LOCAL, _LONGEST = 64, 255
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_MOST_LINES = 500
_HEADINGS = frozenset({"email", "e-mail", "mail", "address", "e-mail address", "email address", "role", "name"})


@dataclass(frozen=True, slots=True)
class Invitee:
    """One address of a list, as it stands in that line, and the role beside it where there is one."""

    line: int
    text: str
    role: str | None = None


def address_of(text: str, *, field: str = "email") -> str:
    """The one spelling an address is stored and compared in; an international domain becomes its ASCII form.

    Raises Invalid, saying why, for what NEXA cannot write to.
    """
    typed = unicodedata.normalize("NFC", text).strip().lower()
    local, at, domain = typed.rpartition("@")
    if not (local and at and domain) or not typed.isprintable() or any(c.isspace() for c in typed):
        raise Invalid("This is not an e-mail address; one looks like ada@example.com.", field=field)
    if not local.isascii():
        raise Invalid("The part before the @ has letters that mail servers do not all accept.", field=field)
    if not _LOCAL.fullmatch(local) or len(local) > _LONGEST_LOCAL:
        raise Invalid("The part before the @ is not one of an e-mail address.", field=field)
    try:
        ascii_domain = idna.encode(domain, uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise Invalid("The part after the @ is not a domain.", field=field) from None
    if "." not in ascii_domain or ascii_domain.replace(".", "").isdigit():
        raise Invalid("The part after the @ is not a domain, which has a dot in it.", field=field)
    address = f"{local}@{ascii_domain}"
    if len(address) > _LONGEST:
        raise Invalid(f"An e-mail address has at most {_LONGEST} characters.", field=field)
    return address


def invitees(people: str | Sequence[Invitee]) -> tuple[Invitee, ...]:
    """The addresses of a pasted list or CSV file: one or several a line, perhaps a role beside it, perhaps a heading.

    Raises Invalid for more than 500 of them.
    """
    if isinstance(people, str):
        text = people.encode("utf-8", "replace").decode().lstrip("\ufeff").replace("\x00", "\ufffd")
        found = tuple(_cells(text))
    else:
        found = tuple(people)
    if len(found) > _MOST_LINES:
        raise Invalid(
            f"At most {_MOST_LINES} people can be invited at once; this list has {len(found)}.", field="people"
        )
    return found


def _cells(text: str) -> Iterator[Invitee]:
    for number, line in enumerate(text.splitlines(), start=1):
        row = next(csv.reader(io.StringIO(line.replace(";", ",").replace("\t", ","))), [])
        cells = [cell.strip() for cell in row if cell.strip()]
        addresses = [cell for cell in cells if "@" in cell]
        role = next((cell.lower() for cell in cells if cell.lower() in MEMBERSHIP_ROLES), None)
        if addresses:
            for cell in addresses:
                yield Invitee(number, parseaddr(cell)[1] or cell, role)
        elif cells and not {cell.lower() for cell in cells} <= _HEADINGS:
            yield Invitee(number, line.strip())
