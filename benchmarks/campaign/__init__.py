"""Fault campaign: buyers over HTTP, killed processes, failing provider and mails; afterwards the books must agree."""
