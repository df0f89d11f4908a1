"""Images: Dockerfiles, layers, and the store that holds them."""
