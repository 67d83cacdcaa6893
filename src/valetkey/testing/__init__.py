"""For the tests of whoever uses Valetkey, and for our own."""
