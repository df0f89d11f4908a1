"""Elastic Load Balancing: the data plane behind MiniStack's control plane."""
