"""The server process: the gateway, the accounts, and the services behind it."""
