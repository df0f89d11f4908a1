"""What every service is built with: requests checked against botocore's models, clients, the clock."""
