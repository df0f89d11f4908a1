"""A page to keep open while a release travels: it reads the cloud as its user does, and changes nothing."""
