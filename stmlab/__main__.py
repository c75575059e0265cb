"""``python -m stmlab`` is the command line."""

from stmlab.cli import main

main()
