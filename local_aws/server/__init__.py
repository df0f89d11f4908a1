"""The server: its process, the gateway, and the services of each account."""
