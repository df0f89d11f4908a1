"""CodeCommit: real git repositories over smart HTTP."""
