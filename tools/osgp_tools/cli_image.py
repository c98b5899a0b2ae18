"""The commands for code banks: `osgp image`."""

import os
from pathlib import Path
from typing import Annotated

import typer

import signature
from osgp_tools import flash, image_check, signing
from osgp_tools.image import ANY_BOARD, FIRMWARE, Header, build_bank, identity, packets
from osgp_tools.image_check import Signed

PRIVATE = Path("build/update-key.prv")
PUBLIC = PRIVATE.with_suffix(".pub")
_UINT32 = 0xFFFFFFFF

image_app = typer.Typer(
    help="""Images of code banks: built, signed, looked at.

    The signing key is build/update-key.prv, the public one build/update-key.pub; `make clean`
    leaves both.""",
    no_args_is_help=True,
)

ImageFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="an image")]


@image_app.command("build")
def build(
    path: Annotated[Path, typer.Argument(help="the file to write")],
    version: Annotated[int, typer.Option(min=0, max=_UINT32)] = 1,
    family: Annotated[
        str, typer.Option(help="of boards that it is for; else for any")
    ] = ANY_BOARD,
    security: Annotated[
        int,
        typer.Option(min=0, max=_UINT32, help="counter; none below a confirmed one is taken"),
    ] = 0,
    firmware: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="the modules' folder")
    ] = FIRMWARE,
) -> None:
    """Compile firmware to an image, not signed. The same source gives the same octets."""
    image = build_bank(version, family=family, security=security, firmware=firmware)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(image)
    print(f"{path}: {len(image):,} octets, version {version}")


@image_app.command("cable")
def cable(
    image: ImageFile, path: Annotated[Path, typer.Argument(help="the file to write")]
) -> None:
    """An image as a cable writes it, for a programmer's own tool: a whole bank, with the mark by
    which it needs no signature. `osgp deploy` and UF2 files have it."""
    image_check.check(image.read_bytes())
    path.write_bytes(flash.whole_bank(image.read_bytes()))


@image_app.command("keygen")
def keygen(
    path: Annotated[Path, typer.Argument(help="the private key to write, of mode 0600")] = PRIVATE,
    height: Annotated[
        int, typer.Option(help="of the tree: 5, 10 or 15; it signs 32, 1024 or 32,768 times")
    ] = 10,
) -> None:
    """Make a signing key. Devices get the public one by cable (osgp deploy --update-key).

    It counts its signatures in its own file and in ~/.local/state/osgp (XDG_STATE_HOME). Never
    bring an older copy of both back: what is signed then gives the key away.
    """
    if height not in signing.KINDS:
        raise ValueError("a tree is 5, 10 or 15 high")
    if height > 10:
        print("32,768 one-time keys take minutes, now and for each signature", flush=True)
    signing.make(path, height)
    print(f"{path}: signs {1 << height:,} times; keep it to yourself")
    print(f"{path.with_suffix('.pub')}: for devices")


@image_app.command("sign")
def sign(
    path: ImageFile,
    key: Annotated[Path, typer.Option(help="a private key")] = PRIVATE,
) -> None:
    """Sign an image in its place. One that the key has signed already stays as it is."""
    image = path.read_bytes()
    signed = signing.sign(image, key)
    if signed == image:
        print(f"{path}: was signed by this key already, {_by(signed)}")
        return
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(signed)
    os.replace(beside, path)
    print(f"{path}: signed, {_by(signed)}")


@image_app.command("verify")
def verify(
    path: ImageFile,
    key: Annotated[Path, typer.Option(help="a public key")] = PUBLIC,
    family: Annotated[str, typer.Option(help="of the board that is to take it")] = "",
) -> None:
    """Would a device with this public key take the image? As for the counter, if not below its."""
    public = key.read_bytes()
    if not signature.size(public):
        raise signing.SigningError(f"{key} is no public key of images")
    image = path.read_bytes()
    header = image_check.verify(image, public, family)
    print(f"{path}: good. For {header.family}, security counter {header.security}")


@image_app.command("show")
def show(path: ImageFile) -> None:
    """What an image says of itself; whether it is true, `verify` tells."""
    image = path.read_bytes()
    header = Header.decode(image)
    print(f"version {header.version}, for {header.family}, {header.length:,} octets")
    print(f"security counter {header.security}")
    print(f"bytecode {header.mpy}, small ints of {header.small_int_bits} bits")
    print(f"SHA-256 {header.digest.hex()}")
    print(f"id {identity(image).hex()}, {packets(image):,} packets")
    print(f"signed {_by(image)}" if Signed.of(image) else "not signed")


def _by(image: bytes) -> str:
    made = Signed.of(image)
    return f"by one-time key {made.number} of {made.keys:,}" if made else ""
