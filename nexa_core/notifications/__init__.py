"""Notifications: mail that leaves with the transaction that wants it."""

from nexa_core.notifications.service import deliver, send_mail, waiting_mail

__all__ = ["deliver", "send_mail", "waiting_mail"]
