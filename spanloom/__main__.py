"""`python -m spanloom`, the same as `spanloom`."""

from spanloom.commands.cli import main

if __name__ == "__main__":
    main()
