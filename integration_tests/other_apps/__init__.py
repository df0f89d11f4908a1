"""Apps in the shapes of other people's, written here and deployed as their authors deploy theirs."""
