"""The models of the four papers."""
