"""CodeCommit: git repositories, by API and over git's smart HTTP protocol."""
