"""Service Quotas, at AWS's default values."""
