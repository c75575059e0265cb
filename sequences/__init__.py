"""One file per experiment, written for a physicist to read and change."""
