"""The basis of every service: validation against botocore's models, clients, the clock."""
