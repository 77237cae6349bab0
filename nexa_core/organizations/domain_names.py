"""Which domain names an organization can claim: its own, and none that many share or that pretends to be another's."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import idna
from publicsuffixlist import PublicSuffixList

from nexa_core.errors import Invalid

#: Where anybody can have an address: such a domain says nothing about who somebody works for.
PUBLIC_MAIL = frozenset(
    """
    126.com 163.com aim.com aol.com att.net bigpond.com bk.ru bluewin.ch btinternet.com comcast.net cox.net
    duck.com email.com email.cz fastmail.com fastmail.fm foxmail.com free.fr freenet.de gmail.com gmx.at gmx.ch
    gmx.com gmx.de gmx.net googlemail.com hanmail.net hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.fr
    hotmail.it hushmail.com icloud.com inbox.lv inbox.ru interia.pl laposte.net libero.it list.ru live.com
    live.co.uk live.de live.fr mac.com mail.com mail.ru mailbox.org mailfence.com mailinator.com me.com msn.com
    naver.com o2.pl online.de orange.fr outlook.com outlook.de outlook.fr pm.me posteo.de proton.me
    protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com sbcglobal.net seznam.cz sfr.fr
    sina.com sky.com t-online.de terra.com.br tiscali.it tuta.com tuta.io tutanota.com tutanota.de ukr.net
    uol.com.br verizon.net virgilio.it wanadoo.fr web.de wp.pl xtra.co.nz yahoo.ca yahoo.co.in yahoo.co.jp
    yahoo.co.uk yahoo.com yahoo.com.au yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru
    ymail.com zoho.com
    """.split()  # noqa: SIM905 - a table of names reads better than two hundred quotes
)
# Letters of other scripts, and digits, that the eye takes for a Latin letter: the common part of the confusables.
_LOOKS_LIKE = str.maketrans(
    {
        **dict(zip("аӑвсԁеєѐёғһніїіјкӏмоөрԛѕтуүԝхʏгпдлбэ", "aabcdeeeefhhiiijklmoopqstyywxyrnAn63", strict=True)),
        **dict(zip("αβγδεηικνορτυχωϲ", "abydeniknoptuxwc", strict=True)),
        **dict(zip("0135ıłøđŀßæ", "olesilodlBa", strict=True)),
        "8": "b",
    }
)
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("nn", "m"))


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=False)


def domain_of_input(typed: str) -> str:
    """A domain as it is stored, ASCII and lower case, from what a person typed: with an @, capitals, or an IDN.

    Raises Invalid for what is no domain, for a public mail provider, for a suffix that many share and for a name whose
    letters pretend to be others.
    """
    name = typed.strip().strip(".").removeprefix("@").lower()
    if "@" in name or "/" in name or ":" in name:
        raise Invalid("Type the domain alone, such as customer.com.", field="domain")
    try:
        ascii_name = idna.encode(name, uts46=True, std3_rules=True).decode().lower()
        readable = idna.decode(ascii_name)
    except (idna.IDNAError, UnicodeError, IndexError):
        raise Invalid("This is not the name of a domain. One reads like customer.com.", field="domain") from None
    if len(ascii_name) > 253 or "." not in ascii_name or ascii_name.rpartition(".")[2].isdigit():
        raise Invalid("This is not the name of a domain. One reads like customer.com.", field="domain")
    _refuse_shared(ascii_name)
    _refuse_disguised(readable)
    return ascii_name


def refuse_lookalike(domain: str, proven: Iterable[str], *, is_told: bool = False) -> None:
    """Raise Invalid for a domain that pretends to be, or lies within, a public provider's or another's proven one.

    Whose domain it is not is said of a provider, and where ``is_told``: that another has proven one tells who is a
    customer here.
    """
    for other in (*PUBLIC_MAIL, *proven):
        if why := _misleads(domain, other):
            told = is_told or other in PUBLIC_MAIL
            raise Invalid(why if told else f"{domain} {_NOT_HERE}", field="domain")


_NOT_HERE = "could be taken for a domain of somebody else, so you cannot claim it yourself. If it is yours, ask NEXA."


def _misleads(domain: str, other: str) -> str | None:
    mine = registrable(domain)
    if domain == other:
        return None
    if domain.endswith(f".{other}"):
        return f"{domain} lies within {other}, which is not yours to claim."
    if domain.startswith(f"{other}.") or f".{other}." in domain:
        return f"{domain} begins with {other} but belongs to {mine}: it would mislead."
    if mine != registrable(other) and skeleton(mine) == skeleton(registrable(other)):
        return f"{domain} looks like {other}, which is another domain: it would mislead."
    return None


def domain_of_address(email: str) -> str:
    """The domain of an address as it is stored, or an empty text where there is none that could be matched."""
    domain = email.rpartition("@")[2].strip().lower()
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode().lower() if "@" in email else ""
    except (idna.IDNAError, UnicodeError, IndexError):
        return ""


def registrable(domain: str) -> str:
    """The part somebody registered: customer.com of eu.customer.com, customer.co.uk of www.customer.co.uk."""
    found: str | None = _suffixes().privatesuffix(domain)
    return found or domain


def skeleton(domain: str) -> str:
    """What a domain looks like at a glance; two with the same skeleton can be mistaken for each other."""
    try:
        readable = idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        readable = domain
    plain = "".join(c for c in unicodedata.normalize("NFKD", readable) if not unicodedata.combining(c))
    shape = plain.lower().translate(_LOOKS_LIKE).replace("-", "")
    for pair, one in _PAIRS:
        shape = shape.replace(pair, one)
    return shape.replace("l", "i")


def _refuse_shared(domain: str) -> None:
    if domain in PUBLIC_MAIL or registrable(domain) in PUBLIC_MAIL:
        provider = domain if domain in PUBLIC_MAIL else registrable(domain)
        raise Invalid(f"Anybody can have an address at {provider}; it stands for no organization.", field="domain")
    if _suffixes().privatesuffix(domain) is None:
        raise Invalid(f"{domain} is shared by many; name the domain that is your own below it.", field="domain")


def _refuse_disguised(readable: str) -> None:
    for label in readable.split("."):
        scripts = {unicodedata.name(c, "?").split()[0] for c in label if c.isalpha() and not c.isascii()}
        has_latin = any(c.isascii() and c.isalpha() for c in label)
        if scripts & {"CYRILLIC", "GREEK", "ARMENIAN"} and (has_latin or len(scripts) > 1):
            raise Invalid(f"{readable} mixes scripts whose letters look alike, so it is refused.", field="domain")
        if scripts and scripts <= {"CYRILLIC", "GREEK"} and label.translate(_LOOKS_LIKE).isascii():
            raise Invalid(
                f"{readable} is in letters that only look like {label.translate(_LOOKS_LIKE)}, so it is refused.",
                field="domain",
            )
