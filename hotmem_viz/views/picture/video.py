"""The same film as an .mp4: pictures piped to ffmpeg, which imageio-ffmpeg brings or finds.

The library's own writer of frames is not used: it does not look at ffmpeg's exit status.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import HotmemError
from hotmem_viz.views.palette import Theme
from hotmem_viz.views.picture.film import Film, Watch, plan_film
from hotmem_viz.views.picture.frame import draw_frame, make_plan

if TYPE_CHECKING:
    from hotmem_viz.recording.recording import Recording


def find_ffmpeg() -> str:
    """Return the program: imageio-ffmpeg's own, or the one on the path.

    Raises HotmemError, saying what brings one, where there is none.
    """
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ModuleNotFoundError, RuntimeError):
        found = shutil.which("ffmpeg")
    if found is None:
        raise HotmemError(
            ".mp4 needs the program ffmpeg, and this machine has none; pip install "
            "'hotmem-viz[export]' brings one, and so does the system's package ffmpeg (apt, brew, "
            "winget)"
        )
    return found


def save_mp4(
    recording: Recording,
    path: str | Path,
    theme: Theme = "light",
    fps: float | None = None,
    first: int | None = None,
    last: int | None = None,
    watch: Watch = iter,
) -> None:
    """Write a film as an .mp4 (H.264), for slides and players; see `plan_film`.

    Raises HotmemError where there is no ffmpeg or it fails, ParameterError for what cannot be
    shown, OSError if `path` cannot be written.
    """
    program = find_ffmpeg()
    film = plan_film(recording, fps, first, last)
    plan = make_plan(recording, theme)
    # A pixel is one number of four bytes: looking it up is one step, and rgb0 is what ffmpeg reads.
    table = np.pad(plan.sheet.inks.table(), ((0, 0), (0, 1))).view(np.uint32)[:, 0]
    path = Path(path)
    with path.open("wb"):  # Says in plain words what is wrong with a path; ffmpeg would not.
        pass

    def pictures() -> Iterator[bytes]:
        for tick, times in watch(list(zip(film.ticks, _repeats(film), strict=True))):
            picture = table[draw_frame(plan, recording, tick)].tobytes()
            yield from itertools.repeat(picture, times)

    try:
        _pipe([program, *_encoding(film, plan.size), str(path.absolute())], pictures())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _pipe(command: list[str], pictures: Iterable[bytes]) -> None:
    """Let a program read pictures; raises HotmemError with its last word where it fails."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - no shell, and a program that we have found
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log
        )
        broken = False
        try:
            with process:
                sink = process.stdin
                for picture in pictures:
                    if sink is not None:
                        sink.write(picture)
        except OSError:  # It has gone away, and its log says why.
            broken = True
        if process.returncode or broken:
            log.seek(0)
            said = log.read().decode(errors="replace").strip().splitlines()
            reason = said[-1] if said else f"exit status {process.returncode}"
            raise HotmemError(f"ffmpeg failed: {reason}")


def _repeats(film: Film) -> list[int]:
    """Return how many frames each tick of a film stands for."""
    ends = np.rint(film.fps * np.cumsum(film.seconds)).astype(int)
    return [int(n) for n in np.diff(ends, prepend=0)]


def _encoding(film: Film, size: tuple[int, int]) -> list[str]:
    """Return ffmpeg's options: 4:2:0, as players ask for, in the colours that they expect."""
    rate = str(Fraction(film.fps).limit_denominator(1000))
    tags = ":".join(f"{name}=bt709" for name in ("colorspace", "color_primaries", "color_trc"))
    return [
        *("-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb0"),
        *("-s", f"{size[0]}x{size[1]}", "-r", rate, "-i", "-", "-an"),
        *("-vf", f"scale=out_color_matrix=bt709:out_range=tv,setparams={tags}"),
        *("-vcodec", "libx264", "-pix_fmt", "yuv420p"),
        *("-crf", "18", "-preset", "medium", "-tune", "animation"),
        # Whole pictures are dear; one in five seconds lets a lecturer scrub.
        *("-g", str(max(2, round(5 * film.fps)))),
        *("-movflags", "+faststart", "-f", "mp4"),
    ]
