"""Posteriors, choices and checks for runs that choose each point where it reduces the error most."""
