"""The command line: one thin file for each subcommand. Nothing heavy is imported until it is needed."""
