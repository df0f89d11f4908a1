"""Wrong calls: for each error code that an operation declares, a call that gets it from local_aws."""
