"""The deployment guard: the construct, and the code of its Lambda function."""
