"""`python -m benchmarks NAME [options]`: each module with `options` and `run` is a benchmark."""

import argparse
import importlib
import json
import pkgutil

import benchmarks
from benchmarks.table import show

HELPERS = {"__main__", "table", "web_peer"}


def main() -> None:
    """Run the benchmark that was named and print its table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    named = parser.add_subparsers(required=True, metavar="NAME")
    for found in pkgutil.iter_modules(benchmarks.__path__):
        if found.name not in HELPERS:
            module = importlib.import_module(f"benchmarks.{found.name}")
            words = str(module.__doc__).splitlines()[0]
            command = named.add_parser(found.name, help=words, description=words)
            module.options(command)
            command.add_argument("--json", action="store_true", help="print JSON, not a table")
            command.set_defaults(run=module.run, words=words)
    chosen = parser.parse_args()
    rows = chosen.run(chosen)
    if chosen.json:
        print(json.dumps(rows, indent=2))
    else:
        show(chosen.words, rows)


if __name__ == "__main__":
    main()
