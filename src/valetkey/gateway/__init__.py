"""One request from start to finish: parse, authenticate, authorise, run, answer."""
