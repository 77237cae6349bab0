"""The core of NEXA: all rules and all data access. Screens and the HTTP door call it; it never imports them."""

__version__ = "0.1.0"
