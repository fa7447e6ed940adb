"""The subcommands of ``weft``; each module has ``add_command(commands)``."""
