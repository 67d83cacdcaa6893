"""IAM's and STS's own wire API, which SDKs call at the root path."""
