"""The command `radar`: options in, messages and exit status out."""
