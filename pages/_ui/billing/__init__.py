"""What the screens of invoices, rehearsals and plans share."""
