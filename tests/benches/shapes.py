#!/usr/bin/env python3
"""Writes a configuration of a given shape and size: instances of `terraform_data`, which every
engine has built in.

    shapes.py SHAPE SIZE DIRECTORY
"""

import sys
from pathlib import Path

# In how many files the blocks of a module are.
FILES = 100


def count(size, directory):
    """One block with `count`."""
    text = f"""resource "terraform_data" "a" {{
  count = {size}
  input = "value ${{count.index}}"
}}
"""
    write(directory, "main.tf", text)


def blocks(size, directory):
    """As many blocks as instances, in 100 files."""
    spread(directory, [block(i, f'"value {i}"') for i in range(size)])


def chain(size, directory):
    """Each block refers to the one before."""
    first = [block(0, '"value 0"')]
    rest = [block(i, f"terraform_data.r{i - 1}.id") for i in range(1, size)]
    spread(directory, first + rest)


def fan_in(size, directory):
    """One block that refers to each of the others, which are blocks of their own."""
    spread(directory, [block(i, f'"value {i}"') for i in range(size - 1)])
    names = "".join(f"    terraform_data.r{i}.id,\n" for i in range(size - 1))
    write(directory, "all.tf", f'resource "terraform_data" "all" {{\n  input = [\n{names}  ]\n}}\n')


def fan_in_count(size, directory):
    """One block that refers to all instances of another as a whole."""
    text = f"""resource "terraform_data" "a" {{
  count = {size - 1}
  input = "value ${{count.index}}"
}}

resource "terraform_data" "all" {{
  input = terraform_data.a[*].id
}}
"""
    write(directory, "main.tf", text)


def modules(size, directory):
    """Modules nested ten by ten by ten, one instance in each of the innermost. A name is handed
    down through all levels, the ids are handed up."""
    depth = len(str(size)) - 1
    if size != 10**depth:
        sys.exit(f"modules: {size} is not a power of ten")
    for level in range(depth):
        name = '"root"' if level == 0 else "var.name"
        text = f"""module "m" {{
  source = "./m"
  count  = 10
  name   = "${{{name}}}-${{count.index}}"
}}

output "ids" {{
  value = module.m[*].ids
}}
"""
        write(directory / "/".join(["m"] * level), "main.tf", variable(level) + text)
    leaf = """resource "terraform_data" "a" {
  input = var.name
}

output "ids" {
  value = terraform_data.a.id
}
"""
    write(directory / "/".join(["m"] * depth), "main.tf", variable(depth) + leaf)


def variable(level):
    return "" if level == 0 else 'variable "name" {\n  type = string\n}\n\n'


def block(i, value):
    return f'resource "terraform_data" "r{i}" {{\n  input = {value}\n}}\n'


def spread(directory, blocks):
    """Deals the blocks out in order, so that neighbours share a file."""
    each = -(-len(blocks) // FILES)
    for i in range(0, len(blocks), each):
        write(directory, f"part{i // each:02}.tf", "\n".join(blocks[i : i + each]))


def write(directory, name, text):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(text)


SHAPES = {
    "count": count,
    "blocks": blocks,
    "chain": chain,
    "fan-in": fan_in,
    "fan-in-count": fan_in_count,
    "modules": modules,
}


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in SHAPES:
        sys.exit(f"usage: shapes.py {'|'.join(SHAPES)} SIZE DIRECTORY")
    SHAPES[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3]))


if __name__ == "__main__":
    main()
