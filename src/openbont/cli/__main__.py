"""python -m openbont.cli"""

from openbont.cli.main import main

if __name__ == "__main__":
    main()
