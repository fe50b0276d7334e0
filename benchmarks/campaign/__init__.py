"""Fault campaign: buyers over HTTP, processes killed, provider and mail server failing; afterwards the books must agree."""
