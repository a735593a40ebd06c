"""The floor of everything that reads YAML through PyYAML's C parser: make the events and drop them."""

import os
import sys

from yaml.cyaml import CParser
from yaml.events import StreamEndEvent


def main(root: str) -> None:
    """Read every file below a folder and loop over its events."""
    for folder, _, names in os.walk(root):
        for name in names:
            if not name.endswith(".yaml"):
                continue
            with open(os.path.join(folder, name), "rb") as stream:
                get_event = CParser(stream.read()).get_event
            while type(get_event()) is not StreamEndEvent:
                pass


if __name__ == "__main__":
    main(sys.argv[1])
