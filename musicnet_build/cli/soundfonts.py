"""``musicnet-build soundfonts``: which soundfonts are here."""

import click

from musicnet_build.cli import console, parameters


@click.command(name="soundfonts")
@parameters.json_option
def command(as_json: bool) -> None:
    """List the soundfonts found on this machine, the default first."""
    from musicnet_build.synthesis.soundfonts import choose_soundfont, find_soundfonts, find_unusable_soundfonts

    default = choose_soundfont()
    found, unusable = find_soundfonts(), find_unusable_soundfonts()
    rows = [
        {
            "name": font.name,
            "path": str(font.path),
            "size_bytes": font.size_bytes,
            "sha256": font.sha256(),
            "licence": font.licence,
            "source": font.source,
            "default": font.path == default.path,
        }
        for font in found
    ]
    lines = [
        f"{'*' if font.path == default.path else ' '} {font.name:24} {font.size_bytes / 1e6:6.1f} MB  "
        f"{font.sha256()[:12]}  {font.licence or 'licence unknown'}  {font.path}"
        for font in found
    ]
    lines.append("* is the default; --soundfont takes a name or a file.")
    console.warn(f"{font.path} cannot be used: {font.reason}." for font in unusable)
    values = {"soundfonts": rows, "unusable": [{"path": str(font.path), "reason": font.reason} for font in unusable]}
    console.report(values, lines, as_json)
