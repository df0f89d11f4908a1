"""What the tests share: fixtures, waits, commits, clients, certificates and the documented commands."""
