"""The command line: `virtio-cosim`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from tb import request as asking
from tb import run as running
from tb.errors import ToolError, UsageError
from tb.knobs import LEVELS
from tb.paths import BUNDLED_MANIFEST, MUTANTS, SIM_TESTS, shown
from tb.results import FAIL, Result
from tb.sim_test import discover
from tb.simulators import SIMULATORS
from waves.bringup import diagnosis
from waves.failure import write_failure

PATH = click.Path(path_type=Path)
HELD, VIOLATED, USAGE, TOOL = 0, 1, 2, 3


WAVES = click.option(
    "--waves",
    type=click.Choice(asking.WAVES),
    default="on-fail",
    show_default=True,
    help="on-fail runs RTL tests that failed once more, with waves.",
)
WINDOW = click.option(
    "--window",
    type=click.IntRange(0),
    metavar="NS",
    default=asking.WINDOW_NS,
    show_default=True,
    help="With --waves on-fail: begin this long before the first violation; 0: with the test.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="virtio-cosim")
def cli() -> None:
    """Co-simulation testbench and conformance checker for hardware virtio devices.

    Exit status: 0 all held; 1 violations or test failures; 2 bad input or usage; 3 a tool failed.
    """


@cli.command()
@click.option("--dut", default=str(BUNDLED_MANIFEST), help='Manifest (dut.toml) of the device, or "model".')
@click.option("--test", "tests", multiple=True, metavar="GLOB", help="Run only tests that match; repeatable.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="First seed.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="How many seeds.")
@WAVES
@WINDOW
@click.option("--out", type=PATH, help="Run folder.  [default: runs/TIME]")
@click.option(
    "--image", type=click.Path(path_type=Path), help="Medium for every test: a file of full sectors."
)
@click.option(
    "--tests", "folder", type=click.Path(path_type=Path), default=SIM_TESTS, help="Folder of test_*.py."
)
@click.option("--jobs", type=click.IntRange(1), default=asking.RunRequest().jobs, help="Simulator processes.")
@click.option(
    "--path",
    type=click.Choice(asking.PATHS),
    default="auto",
    show_default=True,
    help="Bus models in C (native), or cocotb on the pins (portable); auto: native where it can be.",
)
@click.option(
    "--twin",
    type=click.Choice(("native", "python")),
    default="native",
    show_default=True,
    help="Which of the checker's two implementations judges on the native path.",
)
@click.option("--stress", type=click.Choice(LEVELS), help="Level of stress in place of the tests' own.")
@click.option("--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Of the top level.")
@click.option("--define", "defines", multiple=True, metavar="NAME=VALUE", help="Verilog macro.")
@click.option("--until", type=click.Choice(asking.ENDS), help="Stop behind the first test with one.")
@click.option(
    "--time-scale",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    help="Multiply the simulated time that tests may take.",
)
@click.option("--hasty", is_flag=True, help="Compile with little optimisation: the first test starts sooner.")
@click.option(
    "--simulator",
    type=click.Choice(SIMULATORS),
    help="Verilator for Verilog and GHDL for VHDL, unless plain Verilog is given to icarus (no waves).",
)
@click.option("--keep-going", is_flag=True, help="Run the tests although the DUT does not come up.")
@click.option("--list", "only_list", is_flag=True, help="Name the tests and stop.")
def run(
    dut: str,
    tests: tuple[str, ...],
    seed: int,
    seeds: int,
    waves: str,
    window: int,
    out: Path | None,
    image: Path | None,
    folder: Path,
    jobs: int,
    path: str,
    twin: str,
    stress: str | None,
    parameters: tuple[str, ...],
    defines: tuple[str, ...],
    until: str | None,
    time_scale: float,
    hasty: bool,
    simulator: str | None,
    keep_going: bool,
    only_list: bool,
) -> None:
    """Build the DUT once, run tests, write a run folder."""
    if only_list:
        for test in discover(folder):
            click.echo(f"{test.name:60} {test.title}")
        return
    request = asking.RunRequest(
        dut,
        tests,
        seed,
        seeds,
        waves,
        out,
        folder,
        image,
        jobs,
        until=until or "",
        time_scale=time_scale,
        hasty=hasty,
        path=path,
        window_ns=window,
        twin=twin,
        stress=stress or "",
        parameters=parameters,
        defines=defines,
        simulator=simulator or "",
        keep_going=keep_going,
    )
    sys.exit(_execute(request))


def _execute(request: asking.RunRequest) -> int:
    report = running.Run(request, click.echo, _Progress(), write_failure).execute()
    if report.bring_up is not None:
        click.echo(diagnosis(report.bring_up))
    click.echo(f"results: {shown(report.folder)}")
    if report.scope:
        click.echo(report.scope)
    click.echo(f"conformance report: virtio-cosim report {shlex.quote(shown(report.folder))}")
    click.echo(running.summary(report))
    return report.exit_status


@cli.command("new-dut")
@click.argument("sources", nargs=-1, required=True, type=PATH, metavar="SOURCES...")
@click.option("--top", default="", help="Top level.  [default: the module that nobody instantiates]")
@click.option("--device", type=click.Choice(("blk", "net", "console", "entropy", "other")), help="Its type.")
@click.option("-I", "include_dirs", multiple=True, type=PATH, metavar="DIR", help="Folder of included files.")
@click.option("-D", "--define", "defines", multiple=True, metavar="NAME=VALUE", help="Verilog macro.")
@click.option(
    "-G", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Of the top level."
)
@click.option("--out", type=PATH, default=Path("dut.toml"), show_default=True, help="Manifest to write.")
@click.option("--force", is_flag=True, help="Overwrite a manifest that is there.")
def new_dut(
    sources: tuple[Path, ...],
    top: str,
    device: str | None,
    include_dirs: tuple[Path, ...],
    defines: tuple[str, ...],
    parameters: tuple[str, ...],
    out: Path,
    force: bool,
) -> None:
    """Propose a manifest for a DUT: Verilog files (.sv, .v) or file lists (.f), read by Verilator."""
    from tb.newdut import command

    pairs = asking.pairs("define", defines), asking.pairs("parameter", parameters)
    command.new_dut(command.Wish(sources, top, device or "", include_dirs, *pairs, out, force), click.echo)


@cli.command()
@click.argument("traces", nargs=-1, required=True, type=PATH, metavar="TRACE...")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option(
    "--twin",
    type=click.Choice(("native", "python")),
    help="Which of the checker's two implementations judges.  [default: native, python without a compiler]",
)
def check(traces: tuple[Path, ...], form: str, twin: str | None) -> None:
    """Judge saved traces by the golden checker."""
    from tb.check import check as judge

    def warn(text: str) -> None:
        click.echo(f"virtio-cosim: {text}", err=True)

    sys.exit(judge(traces, form, twin, click.echo, warn))


@cli.command()
@click.argument("target", type=PATH, metavar="RUN_OR_TRACE")
@click.option("--dut", help='Manifest of the device, or "model".  [default: the recorded one]')
@WAVES
@WINDOW
@click.option("--image", type=PATH, help="Medium of a trace's device: a file of full sectors.")
@click.option("--out", type=PATH, help="Run folder.  [default: runs/TIME]")
def replay(
    target: Path, dut: str | None, waves: str, window: int, image: Path | None, out: Path | None
) -> None:
    """Give a device the same stimulus again: a run's, one test's, or a trace's."""
    from tb.replay import request_for

    manifest = dut or str(BUNDLED_MANIFEST)
    base = asking.RunRequest(dut=manifest, waves=waves, out=out, image=image, window_ns=window)
    sys.exit(_execute(request_for(target, base, dut_given=dut is not None)))


@cli.command()
@click.option("--dut", default=str(BUNDLED_MANIFEST), help='Manifest of the device, or "model".')
@click.option("--kernel", type=click.Choice(("6.1", "6.12", "newest")), default="6.1", show_default=True)
@click.option(
    "--script", type=PATH, help="Shell script to run in the guest.  [default: a file system's life]"
)
@click.option("--image", type=PATH, help="Medium.  [default: a small ext4 file system]")
@click.option("--append", default="", help='More words for the kernel\'s command line, like "pci=nomsi".')
@click.option("--waves", type=click.Choice(asking.WAVES), default="never", show_default=True)
@click.option("--path", type=click.Choice(asking.PATHS), default="auto", show_default=True)
@click.option(
    "--limit", type=click.FloatRange(1), default=600.0, show_default=True, help="Seconds for it all."
)
@click.option("--out", type=PATH, default=Path("runs/guest"), show_default=True, help="Run folder.")
def guest(
    dut: str,
    kernel: str,
    script: Path | None,
    image: Path | None,
    append: str,
    waves: str,
    path: str,
    limit: float,
    out: Path,
) -> None:
    """Boot a real Linux whose own virtio drivers drive the device."""
    from tb.linux.command import guest as boot
    from tb.linux.session import GuestRequest

    request = GuestRequest(dut, out, kernel, script, image, append, waves, path, limit)
    sys.exit(boot(request))


@cli.command()
@click.option(
    "--dir",
    "folder",
    type=PATH,
    help="Folder of patches.  [default: tests/mutants, or mutants beside the manifest of --dut]",
)
@click.option(
    "--dut", type=PATH, metavar="MANIFEST", help="Hunt on this device.  [default: what each patch says]"
)
@click.option("--only", multiple=True, metavar="WORD", help="Hunt only mutants with it in their name.")
@click.option("--learn", is_flag=True, help="Write what killed them into the folder's ranking.")
@click.option("--jobs", type=click.IntRange(1), default=asking.CORES, help="Mutants at a time.")
@click.option(
    "--format", "form", type=click.Choice(("text", "json", "markdown")), default="text", show_default=True
)
def mutants(
    folder: Path | None, dut: Path | None, only: tuple[str, ...], learn: bool, jobs: int, form: str
) -> None:
    """Plant every known bug in a copy of the tree and see which test finds it."""
    from tb import mutants as planted
    from tb.hunt import Hunt
    from tb.hunt_progress import HuntProgress
    from tb.ranking import Ranking

    folder = folder or (dut.parent / "mutants" if dut else MUTANTS)
    everything = planted.load_mutants(folder, dut)
    chosen = planted.choose(everything, only, folder)
    ranking = Ranking.load(folder)
    with HuntProgress(len(chosen), quiet=form != "text") as progress:
        fates = Hunt(chosen, ranking, jobs, progress.begun, progress.done).run()
    if form == "text":
        click.echo(planted.summary(chosen, fates))
    else:
        click.echo(planted.to_json(fates) if form == "json" else planted.to_markdown(chosen, fates))
    if learn:
        ranking.learn(fates)
        ranking.save(folder, [mutant.name for mutant in everything])
    sys.exit(planted.exit_status(fates))


@cli.command()
@click.argument("plan", type=PATH, metavar="PLAN.toml")
@click.option("--out", type=PATH, help="Folder of all nights.  [default: runs/regress]")
@click.option("--resume", is_flag=True, help="Go on with the last night of this plan.")
@click.option("--budget", metavar="TIME", help="Real time to spend, as 90s, 5m or 8h.  [default: the plan's]")
@click.option("--jobs", type=click.IntRange(1), default=asking.CORES, help="Simulator processes.")
@click.option("--executor", default="local", show_default=True, help="local, or dask://HOST:PORT.")
def regress(plan: Path, out: Path | None, resume: bool, budget: str | None, jobs: int, executor: str) -> None:
    """Run a plan: tests x configurations x seeds x stress, results in one SQLite file."""
    from tb.regress import command

    wish = command.Wish(plan, out or command.DEFAULT_OUT, resume, budget, jobs, executor)
    sys.exit(command.regress(wish, click.echo, write_failure))


@cli.command()
@click.argument("run_folder", type=PATH, metavar="RUN")
@click.option("--against", type=PATH, metavar="OTHER", help="Another run: compare, what broke since first.")
@click.option("--format", "form", type=click.Choice(("html", "markdown")), default="html", show_default=True)
@click.option("--out", type=PATH, metavar="FILE", help="[default: report.html or report.md in RUN]")
def report(run_folder: Path, against: Path | None, form: str, out: Path | None) -> None:
    """Write the conformance report of a run, or the page of a regression."""
    from tb.regress.night import RESULTS
    from tb.regress.page import write_latest
    from waves.conformance.command import write_report

    if (run_folder / RESULTS).exists():
        if against or out or form != "html":
            raise UsageError(
                f"{run_folder}: is a regression, whose page takes no --against, --format, --out: "
                "name the folder of a configuration in one of its nights"
            )
        click.echo(f"report: {shown(write_latest(run_folder))}")
        return
    path, head = write_report(run_folder, against, form, out)
    click.echo(f"report: {shown(path)}\nverdict: {head.words}")


@cli.command()
@click.argument("target", type=PATH, metavar="RUN/TEST")
@click.option("--viewer", type=click.Choice(("gtkwave", "surfer")), help="[default: the one installed]")
@click.option("--print", "only_print", is_flag=True, help="Say what opens the wave, and stop.")
@WINDOW
def wave(target: Path, viewer: str | None, only_print: bool, window: int) -> None:
    """Open a test's wave at its first violation: pins and decoded signals, recorded now if need be."""
    from waves.show import open_scene, scene

    open_scene(scene(target, click.echo, window), viewer, click.echo, only_print=only_print)


@cli.command()
@click.argument("target", type=PATH, metavar="RUN/TEST")
@click.option("--out", type=PATH, help="File to write.  [default: timeline.json beside the trace]")
def timeline(target: Path, out: Path | None) -> None:
    """Write the life of every buffer as a Chrome trace, for ui.perfetto.dev or chrome://tracing."""
    from waves.timeline import timeline_of

    path, count = timeline_of(target, out)
    click.echo(f"timeline: {shown(path)}, {count} buffers; open it in ui.perfetto.dev or chrome://tracing")


@cli.command()
@click.argument("left", type=PATH, metavar="A")
@click.argument("right", type=PATH, metavar="B")
def compare(left: Path, right: Path) -> None:
    """Align two traces by what was done, not by time, and explain their first difference.

    A and B are traces or folders of tests. Exit status 0 where they are the same, 1 where they differ.
    """
    from waves.compare import compare as difference

    sys.exit(difference(left, right, click.echo))


@cli.command()
def doctor() -> None:
    """Check every tool and say what to install."""
    from tb import doctor as examination

    sys.exit(examination.report(click.echo))


class _Progress:
    """Prints a line for every test."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, result: Result) -> None:
        self._count += 1
        click.echo(
            f"{self._count:4} {result.status:5} {result.name} seed={result.seed} {result.seconds:.2f} s"
        )
        if result.status in (FAIL, "error"):
            click.echo(f"     {result.message}\n     replay: {result.replay}")
        elif result.message:
            click.echo(f"     {result.message}")


def main() -> None:
    """Run the command line with the exit statuses of the contract."""
    try:
        code = cli.main(standalone_mode=False) or HELD
    except click.exceptions.Exit as end:
        code = end.exit_code
    except click.ClickException as error:
        click.echo(f"virtio-cosim: {error.format_message()}", err=True)
        code = USAGE
    except UsageError as error:
        click.echo(f"virtio-cosim: {error}", err=True)
        code = USAGE
    except ToolError as error:
        click.echo(f"virtio-cosim: {error}", err=True)
        code = TOOL
    except (KeyboardInterrupt, click.Abort):
        click.echo("virtio-cosim: interrupted", err=True)
        code = TOOL
    sys.exit(code)


if __name__ == "__main__":
    main()
