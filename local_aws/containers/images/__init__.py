"""Container images: Dockerfiles, builds, layers, and the store that holds them."""
