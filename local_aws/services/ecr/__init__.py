"""Elastic Container Registry: repositories, images and the registry that serves them."""
