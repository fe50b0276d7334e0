"""One YAML file in, a real shop out."""

__version__ = "1.0.0"
