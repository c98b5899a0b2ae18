"""Where a device stands when an update comes to it, whoever brought it there."""

from osgp_tools.update_device import Part, Stage
from osgp_tools.update_status import State, Status


async def judge(part: Part) -> None:
    """Set its stage, or why it cannot go along."""
    status = await part.look()
    same = (status.version, status.security) == part.image.version
    if status.on_trial:
        if same:
            part.on_trial()
        else:
            part.refusal = f"runs version {status.version} on trial: that comes first"
    elif same and await part.runs_it(status):
        part.stage = Stage.CONFIRMED
    elif part.image.header.security < status.security:
        part.refusal = f"has security counter {status.security}, and goes to no lower one"
    else:
        _judge_download(part, status)


def _judge_download(part: Part, status: Status) -> None:
    begun = part.kept.of(part.member.unique_id)
    if begun and begun.image != part.image.fingerprint:
        begun = None
    length = status.length == len(part.image.octets)
    if begun and status.state == State.FAILED and status.fault.of_the_image:
        part.refusal = status.fault.text
    elif length and status.crc == part.image.crc:
        part.stage = Stage.COMPLETE
    elif begun and begun.trial_seen is not None and not status.length:
        part.stage = Stage.COMPLETE  # it ran it once; EP10 will tell whether it is there still
    elif begun and length and status.state in (State.ERASING, State.RECEIVING):
        part.stage = Stage.RECEIVING
        part.needs = set(range(part.image.packets))
    else:
        part.stage = Stage.EMPTY


async def judge_back(part: Part) -> None:
    """The same, when the image is what its other bank holds: nothing is to be downloaded."""
    status = await part.look()
    same = (status.version, status.security) == part.image.version
    if same and status.on_trial:
        part.on_trial()
    elif same and await part.runs_it(status):
        part.stage = Stage.CONFIRMED
    else:
        part.stage = Stage.COMPLETE
