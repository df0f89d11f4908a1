"""IAM: who may do what, decided in front of every API call as AWS decides it."""
