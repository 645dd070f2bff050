"""``python -m musicnet_build``: the command line, where its script is not on the path."""

from musicnet_build.cli import main

if __name__ == "__main__":
    main()
