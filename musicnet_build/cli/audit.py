"""``musicnet-build audit ...``: listen to labels, judge them, and use what was judged."""

import click

from musicnet_build.cli.lazy_group import LazyGroup

COMMANDS = {
    "listen": "Open the page on which a dataset or a recording is heard, seen and judged.",
    "apply": "Write the verdicts of people into a manifest.",
}
_DEFAULT = "listen"


class AuditGroup(LazyGroup):
    """``audit quartets`` is ``audit listen quartets``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command that is meant before arguments that name none."""
        if args and args[0] not in self.subcommands and args[0] not in ("-h", "--help"):
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Say what is usually given."""
        return ["DATASET | RECORDING LABELS...  |  COMMAND [ARGS]..."]


@click.group(name="audit", cls=AuditGroup, subcommands=COMMANDS)
def command() -> None:
    """Listen to the labels of a dataset, or of one recording, in the browser, and judge them.

    What is judged is kept beside the dataset, in the folder DATASET.audit.
    """
