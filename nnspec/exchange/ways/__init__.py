"""The ways out, a module or a package of each name; a new one is found without a list."""
