"""What stands between a request by a link and the operation that it asks for."""
