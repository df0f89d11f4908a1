"""The scaling of the service, and the function that suspends it while a deployment runs."""
