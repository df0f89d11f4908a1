"""Elastic Container Registry Public, without images of its own."""
