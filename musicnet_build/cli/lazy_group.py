"""A command with subcommands, each in a module of its own that is imported when the subcommand is named."""

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """Knows its subcommands by name and help; ``pack frames`` is the ``command`` of ``cli/pack_frames.py``.

    The outermost group has no parent and takes them from modules of their own name: ``align`` is ``cli/align.py``.

    Parameters
    ----------
    subcommands : mapping
        Name to help, in the order of the help.
    """

    def __init__(self, *args: Any, subcommands: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.subcommands = subcommands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        return list(self.subcommands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand."""
        if cmd_name not in self.subcommands:
            return None
        prefix = f"{self.name}_" if ctx.parent else ""
        module = importlib.import_module(f"musicnet_build.cli.{prefix}{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand that is named; a name that is not known is answered with the nearest that is."""
        if args[0] in self.subcommands or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(args[0], self.subcommands, n=1)
        known = f"Did you mean '{near[0]}'?" if near else f"Choose from: {', '.join(self.subcommands)}."
        raise click.UsageError(f"No such command '{args[0]}'. {known}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.subcommands.items()))
