"""`python -m ivan_core` is `ivan`."""

from ivan_core.cli.main import main

if __name__ == "__main__":
    main()
