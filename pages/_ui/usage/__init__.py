"""The pieces of the screens about usage: portfolio, morning brief, one customer."""
