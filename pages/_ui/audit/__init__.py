"""The pieces of the audit log's screen: filters, histogram, entries and what can be done with them."""
