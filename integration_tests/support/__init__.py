"""What the scenarios share: commits, clients, certificates, and the commands that the documents name."""
