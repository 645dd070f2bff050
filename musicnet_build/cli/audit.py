"""``musicnet-build audit ...``: listen to labels, judge them, and use what was judged."""

import click

from musicnet_build.cli.lazy_group import LazyGroup

COMMANDS = {
    "listen": "Open the page on which a dataset or a recording is heard, seen and judged.",
    "sample": "Draw notes or clips to be judged, so that an error rate can be quoted.",
    "report": "Estimate how many labels are wrong, from what was judged.",
    "apply": "Write the verdicts of people into a manifest.",
}
_DEFAULT = "listen"


class AuditGroup(LazyGroup):
    """``audit quartets`` is ``audit listen quartets``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command that is meant before options that would be taken for the group's."""
        return super().parse_args(ctx, self._with_command(args))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Put the command that is meant before arguments that name none."""
        return super().resolve_command(ctx, self._with_command(args))

    def _with_command(self, args: list[str]) -> list[str]:
        named = not args or args[0] in (*self.subcommands, "-h", "--help")
        return args if named else [_DEFAULT, *args]

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Show what is usually given."""
        return ["DATASET | RECORDING LABELS...  |  COMMAND [ARGS]..."]


@click.group(name="audit", cls=AuditGroup, subcommands=COMMANDS)
def command() -> None:
    """Listen to the labels of a dataset, or of one recording, in the browser, and judge them.

    What is judged is kept beside the dataset, in the folder DATASET.audit. `sample`, `report` and `apply` take --json.
    """
