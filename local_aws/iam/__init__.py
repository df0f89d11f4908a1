"""IAM: authorization of every API call, evaluated as AWS evaluates policies."""
