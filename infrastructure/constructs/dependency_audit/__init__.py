"""The audit of a commit's dependencies: a program, its database and its exceptions, all of the platform."""
