"""The way out: one mail over SMTP, to the server ``NEXA_SMTP_URL`` names."""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from ipaddress import ip_address
from urllib.parse import parse_qs, unquote, urlsplit

from nexa_core.errors import Misconfigured

_TIMEOUT_SECONDS = 15
_PORTS = {"smtp": 25, "smtps": 465}
#: Where mail is submitted with a login: TLS is begun there unless the address says otherwise.
_SUBMISSION = 587


@dataclass(frozen=True, slots=True)
class MailServer:
    """``smtp://user:password@host:587``, or ``smtps://`` for TLS from the first byte.

    ``smtp://`` begins TLS with STARTTLS on port 587, on others with ``?starttls=1``; ``?starttls=0`` never does.
    """

    host: str
    port: int
    implicit_tls: bool
    starttls: bool
    user: str | None
    password: str | None

    @classmethod
    def of(cls, url: str) -> MailServer:
        """Raises Misconfigured for an address that names no mail server, or would send a password in clear."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise Misconfigured("NEXA_SMTP_URL is not an address such as smtp://user:password@host:587.") from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise Misconfigured("NEXA_SMTP_URL must begin with smtp:// or smtps:// and name a host.")
        implicit_tls = parts.scheme == "smtps"
        said = parse_qs(parts.query).get("starttls", ["1" if port == _SUBMISSION else "0"])[-1]
        starttls = said.lower() in ("1", "true", "yes") and not implicit_tls
        if parts.username and not (implicit_tls or starttls or _is_this_machine(parts.hostname)):
            raise Misconfigured(
                "NEXA_SMTP_URL would send its password in clear: use smtps://, port 587, or add ?starttls=1."
            )
        return cls(
            host=parts.hostname,
            port=port or (_SUBMISSION if starttls else _PORTS[parts.scheme]),
            implicit_tls=implicit_tls,
            starttls=starttls,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    def send(self, message: EmailMessage) -> None:
        """Hand one mail over; raises smtplib's errors or OSError when the server does not take it."""
        context = ssl.create_default_context() if self.implicit_tls or self.starttls else None
        own_name = socket.gethostname()  # smtplib would ask the DNS for it, for seconds where there is none
        connection: smtplib.SMTP
        if self.implicit_tls:
            connection = smtplib.SMTP_SSL(self.host, self.port, own_name, timeout=_TIMEOUT_SECONDS, context=context)
        else:
            connection = smtplib.SMTP(self.host, self.port, own_name, timeout=_TIMEOUT_SECONDS)
        with connection:
            if self.starttls:
                connection.starttls(context=context)
            if self.user is not None:
                connection.login(self.user, self.password or "")
            connection.send_message(message)


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def compose(*, sender: str, recipient: str, subject: str, body: str, link: str | None, message_id: str) -> EmailMessage:
    """A plain-text mail. Its Message-ID is the outbox's own, so a mail sent twice can be told to be one."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = subject
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = f"<{message_id}@{parseaddr(sender)[1].partition('@')[2] or 'nexa.invalid'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{body}\n\n{link}\n" if link else f"{body}\n")
    return message


def describe(error: Exception) -> str:
    """What went wrong, for the System screen: never the server's words, which may repeat the mail's."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"The mail server answered {error.smtp_code} ({type(error).__name__})."
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = ", ".join(sorted({str(code) for code, _ in error.recipients.values()}))
        return f"The mail server refused the recipient ({codes})."
    return f"The mail server could not be reached ({type(error).__name__})."
