"""The command `pointe`: each sub-command imports its package only when it runs, so that help is instant."""

import dataclasses
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from live.printed import show_no_secrets
from models.errors import DeviceError, PartlyDone, PointeError, UsageError, told
from models.machine import install_command
from models.quiet import native_stderr_kept_back
from models.threads import left_running
from train.settings import ORIGINAL, TrainSettings, settings_for

if TYPE_CHECKING:
    from models.runtime import Device

app = typer.Typer(
    name="pointe",
    help="Watches a dancer and says which ballet move it sees, live. Start with: pointe live demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a bug shows Python's own traceback, which is what we need in a report
    rich_markup_mode=None,
)


def _one_meaning(context: typer.Context, parameter: typer.CallbackParam, model: str) -> str:
    """Raises ModelError where a user typed the name of two models; the default is always the shipped one."""
    source = context.get_parameter_source(parameter.name or "")
    if source is not None and source.name == "COMMANDLINE":
        from models.card import refuse_two_meanings

        refuse_two_meanings(model)
    return model


Data = Annotated[Path, typer.Argument(help="Folder with train/<move>/* and test/<move>/*, or <move>/*.")]
MODEL_HELP = "A shipped model's name, or a folder that `pointe export` wrote."
Model = Annotated[str, typer.Option(help=MODEL_HELP, callback=_one_meaning)]
DeviceName = Annotated[str, typer.Option(help="auto, cpu, cuda or tensorrt.")]
Threads = Annotated[int, typer.Option(min=1, help="onnxruntime threads; one leaves a core for decoding.")]
Encoder = Annotated[
    str, typer.Option(help="pose, pose-thunder, image or inception-v3; or the path of an encoder's ONNX file.")
]
SampleHz = Annotated[float, typer.Option(min=4, max=240, help="Frames per second that are looked at.")]
LogFormat = Literal["text", "json"]
Cache = Annotated[Path | None, typer.Option(help="Where features are kept; DATA/.pointe if not given.")]


@app.command()
def live(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE",
            help="0, /dev/video0, a video file, rtsp://user:password@host/path, or demo; several are shown as a grid. "
            "0 if not given.",
            show_default=False,
        ),
    ] = None,
    model: Model = "ballet",
    device: DeviceName = "auto",
    threads: Threads = 1,
    headless: Annotated[bool, typer.Option("--headless", help="No window.")] = False,
    no_pace: Annotated[bool, typer.Option("--no-pace", help="A file as fast as it can be read.")] = False,
    record: Annotated[Path | None, typer.Option(help="Write the annotated picture to this mp4.")] = None,
    record_raw: Annotated[Path | None, typer.Option(help="Write the picture without drawing to this mp4.")] = None,
    events: Annotated[Path | None, typer.Option(help="Write the moves to this .jsonl or .csv.")] = None,
    threshold: Annotated[float | None, typer.Option(min=0, max=1, help="Takes the place of the card's.")] = None,
    mirror: Annotated[bool, typer.Option("--mirror", help="Show the picture as a mirror does.")] = False,
    max_seconds: Annotated[float | None, typer.Option(min=0, help="Stop after this long.")] = None,
    give_up_after: Annotated[
        float | None,
        typer.Option(min=1, help="End with exit code 3 after so many seconds without a frame; else try for ever."),
    ] = None,
    log_format: Annotated[LogFormat, typer.Option(help="Lines for people, or one JSON object a line.")] = "text",
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Serve figures for Prometheus on this port of 127.0.0.1.")
    ] = None,
    camera_size: Annotated[
        str | None, typer.Option(help="Ask a webcam for pictures of this size, as 1280x720.")
    ] = None,
    camera_fps: Annotated[
        float | None, typer.Option(min=1, max=240, help="Ask a webcam for so many pictures a second.")
    ] = None,
) -> None:
    """Recognise moves from cameras, RTSP addresses and video files, and show them."""
    from live.display import DisplayGoneError
    from live.grid import live_grid
    from live.log import Line, teller
    from live.options import Options
    from live.runner import live as run_live
    from live.webcam import Wanted

    tell, named = teller(log_format), sources or ["0"]

    def tell_written(paths: Iterable[Path]) -> None:
        for path in paths:
            tell(Line(f"wrote {path}", "wrote", path=str(path)))

    try:
        options = Options(
            model=model,
            device=_device(device),
            threads=threads,
            headless=headless,
            pace=not no_pace,
            record=record,
            record_raw=record_raw,
            events=events,
            threshold=threshold,
            mirror=mirror,
            max_seconds=max_seconds,
            give_up_after_s=give_up_after,
            wanted=Wanted.parse(camera_size, camera_fps),
            metrics_port=metrics_port,
            tell=tell,
        )
        summary = run_live(named[0], options) if len(named) == 1 else live_grid(named, options)
    except PointeError as error:
        if isinstance(error, DisplayGoneError):  # all that was to be written is whole
            tell_written(path for path in (record, record_raw, events) if path and path.is_file())
        if log_format == "json":
            tell(Line(str(error), "error", exit_code=error.exit_code))
        raise
    rate = f" at {summary.fps:.1f} frames/s" if summary.fps else ""
    text = f"{summary.frames} frames: {summary.answered} answered{rate}, {summary.dropped} dropped"
    facts = {"captured": summary.frames, "answered": summary.answered, "dropped": summary.dropped, "fps": summary.fps}
    tell(Line(text, "summary", **facts, exit_code=summary.exit_code))
    tell_written(summary.wrote)
    raise typer.Exit(summary.exit_code)


@app.command()
def cameras() -> None:
    """List the cameras at this machine, and what keeps one from being opened."""
    from live.doctor import cameras as examine_cameras

    for finding in examine_cameras():
        print(finding.what if finding.ok and finding.what != "none found" else f"{finding.what}\n{finding.advice}")


@app.command()
def classify(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Video files, folders of them, or patterns as 'DIR/*.mp4'.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the moves of each video, and the summary.")],
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Videos at once, one for each core if not given; a core that is left decodes."),
    ] = None,
    model: Model = "ballet",
    device: DeviceName = "auto",
    threshold: Annotated[float | None, typer.Option(min=0, max=1, help="Takes the place of the card's.")] = None,
    events: Annotated[str, typer.Option("--format", help="Of the moves: jsonl or csv.")] = "jsonl",
) -> None:
    """Find the moves of many videos, faster than real time; go on where it was stopped."""
    from live.classify import classify as run_classify
    from live.classify import print_summary
    from live.log import say

    summary = run_classify(
        paths,
        out,
        model=model,
        device=_device(device),
        jobs=jobs,
        threshold=threshold,
        events=events,
        tell=say,
    )
    print_summary(summary)
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)
    if summary.failed:
        raise PartlyDone(f"{len(summary.failed)} of what was given gave no moves; {summary.path} says which and why.")


@app.command()
def bench(
    source: Annotated[str, typer.Argument(help="A video file, or demo.")] = "demo",
    model: Model = "ballet",
    encoder: Annotated[
        str | None,
        typer.Option(help="Measure this encoder alone: pose, pose-thunder, image, inception-v3, or an ONNX file."),
    ] = None,
    frames: Annotated[int, typer.Option(min=10, help="Frames to measure (in each round), after the warm-up.")] = 300,
    threads: Annotated[str, typer.Option(help="onnxruntime threads; several, as in 1,2, are compared.")] = "1",
    device: DeviceName = "auto",
    height: Annotated[
        int | None, typer.Option(min=64, max=4320, help="Measure a copy of the video with so many lines.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Beside the encoder alone and decoding alone, in rounds.")
    ] = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="With --compare: encode at the rate on the card, not every frame.")
    ] = False,
    against: Annotated[
        str | None, typer.Option(help="keras: beside the way of the project that pointe descends from. Needs [train].")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, max=100, help="Of --compare and --against.")] = 5,
    fail_below: Annotated[
        float | None,
        typer.Option(min=0, help="With --compare: exit code 6 where even the best round is below this part."),
    ] = None,
) -> None:
    """Measure frames per second and latency, stage by stage; the last line is one JSON document."""
    from rich.console import Console

    from live.bench import run_bench
    from live.bench_subject import thread_counts
    from live.rescaled import measured_video

    _check_bench(compare, sample, against, encoder, fail_below, several=len(thread_counts(threads)) > 1)
    options: dict[str, Any] = {
        "model": model,
        "frames": frames,
        "device": _device(device),
        "console": Console(highlight=False, soft_wrap=True),
    }
    if against:
        _need("tensorflow", "tf2onnx")
        from live.against import run_against

        with native_stderr_kept_back():
            from export.ancestor import Ancestor
        with measured_video(source, height) as video, Ancestor() as ancestor:
            run_against(video, ancestor, rounds=rounds, threads=int(threads), **options)
        return
    with measured_video(source, height) as video:
        if compare:
            from live.compare import run_compare

            run_compare(
                video,
                encoder=encoder,
                sampled=sample,
                rounds=rounds,
                threads=int(threads),
                fail_below=fail_below,
                **options,
            )
        else:
            run_bench(video, encoder=encoder, threads=threads, **options)


def _check_bench(
    compare: bool, sample: bool, against: str | None, encoder: str | None, fail_below: float | None, *, several: bool
) -> None:
    """Raises UsageError for options that do not go together."""
    if against not in (None, "keras"):
        raise UsageError(f"--against {against}: there is only keras.")
    if compare and against:
        raise UsageError("--compare and --against are two measurements.\nGive one of them.")
    for flag, given in (("--sample", sample), ("--fail-below", fail_below is not None)):
        if given and not compare:
            raise UsageError(f"{flag} goes with --compare.\nAdd it, or leave {flag} out.")
    if against and encoder:
        raise UsageError("--against measures a model, and --encoder an encoder alone.\nGive --model.")
    if several and (compare or against):
        raise UsageError("--threads: rounds are measured with one number of threads.\nGive one number.")


@app.command()
def doctor() -> None:
    """Say what is installed, which device will really run, whether a display is there, and what is wrong."""
    from live.doctor import examine, exit_code, print_findings

    findings = examine()
    print_findings(findings)
    raise typer.Exit(exit_code(findings))


@app.command()
def features(
    data: Data,
    encoder: Encoder = "pose",
    sample_hz: SampleHz = 15.0,
    cache: Cache = None,
    frames: Annotated[Path | None, typer.Option(help="Also write sampled frames and crops here as JPEG.")] = None,
    min_steps: Annotated[int, typer.Option(min=1, help="Clips with fewer sampled frames are left out.")] = 8,
    device: DeviceName = "auto",
    threads: Threads = 1,
) -> None:
    """Encode every clip of a data set once and keep the features; go on where it was stopped."""
    from train.features import run_features

    run_features(
        data,
        encoder=encoder,
        sample_hz=sample_hz,
        cache=cache,
        frames=frames,
        min_steps=min_steps,
        device=_device(device),
        threads=threads,
    )


def _settings_as_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command one flag for each field of TrainSettings, so that names, types and defaults are written once."""
    own = [each for each in signature(command, eval_str=True).parameters.values() if each.kind is not each.VAR_KEYWORD]
    flags = []
    for field in dataclasses.fields(TrainSettings):
        default = f"default: {field.default}"
        if field.name in ORIGINAL and field.name != "head":
            default += f"; with --head original: {ORIGINAL[field.name]}"
        help_text = f"{field.metadata['help']} ({default})"
        kind = type(field.default) | None
        option = Annotated[kind, typer.Option(help=help_text, show_default=False)]  # type: ignore[valid-type]
        flags.append(Parameter(field.name, Parameter.KEYWORD_ONLY, default=None, annotation=option))
    parameters = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in own] + flags
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


@app.command()
@_settings_as_flags
def train(
    data: Data,
    run: Annotated[Path, typer.Argument(help="The folder to make.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was stopped.")] = False,
    name: Annotated[str | None, typer.Option(help="Name of the model; RUN's if not given.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of the clips, for the card.")] = "",
    cache: Cache = None,
    device: DeviceName = "auto",
    threads: Threads = 1,
    **settings: object,
) -> None:
    """Train a model on labelled clips; extracts the features first where that was not done."""
    _need("tensorflow", "sklearn", "matplotlib")
    chosen = settings_for(**settings)  # type: ignore[arg-type]
    with native_stderr_kept_back():
        from train.fit_clips import fit_clips

    fitted = fit_clips(
        data,
        run,
        chosen,
        resume=resume,
        name=name,
        cache=cache,
        device=_device(device),
        threads=threads,
        licence=licence,
    )
    if fitted.left_out:
        raise PartlyDone(f"{run} is trained; {fitted.left_out}")


@app.command("eval")
def evaluate(
    model: Annotated[str, typer.Argument(help=MODEL_HELP, callback=_one_meaning)],
    data: Annotated[
        Path, typer.Argument(help="A folder of clips by move, or of long videos with NAME.json beside NAME.mp4.")
    ],
    report: Annotated[Path | None, typer.Option(help="Folder for the report; MODEL-eval if not given.")] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Of streams: takes the place of the card's.")
    ] = None,
    device: DeviceName = "auto",
    threads: Threads = 1,
) -> None:
    """Measure an exported model on labelled clips or streams, frame by frame as it would run live."""
    _need("sklearn", "matplotlib")
    from live.evaluate import answer_clip, watch
    from live.moves import MoveTracker
    from live.recognizer import Recognizer
    from models.card import find_model
    from train.evaluate import evaluate_clips, evaluate_streams
    from train.stream_labels import holds_streams

    streams = holds_streams(data)
    if threshold is not None and not streams:
        raise UsageError("--threshold is for streams; clips are answered by their mean probabilities.\nLeave it out.")
    folder = find_model(model)
    out = report or Path(f"{folder.resolve().name}-eval")
    recognizer = Recognizer.load(folder, _device(device), threads)
    card = recognizer.card
    if streams:
        follow = partial(watch, recognizer, MoveTracker(card, threshold))
        evaluate_streams(card, data, out, follow, threshold=threshold, ran_on=recognizer.provider)
    else:
        evaluate_clips(card, data, out, partial(answer_clip, recognizer), model=folder.name, ran_on=recognizer.provider)


@app.command()
def export(
    run: Annotated[str, typer.Argument(help="A folder that `pointe train` wrote; with --int8 also a model.")],
    model: Annotated[Path, typer.Argument(help="The model folder to make.")],
    videos: Annotated[
        list[Path] | None, typer.Option("--video", help="Check on this video instead of the run's clips; repeatable.")
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="In whole numbers of eight bits: faster on a CPU, a little less exact.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing MODEL.")] = False,
) -> None:
    """Write a trained run as ONNX, checked against Keras on real windows."""
    _need("tensorflow", "tf2onnx")
    from models.card import as_typed, find_model, refuse_two_meanings

    with native_stderr_kept_back():
        from export.int8 import quantize_model, quantize_run
        from export.to_onnx import export_run
        from train.network import load_head

    folder = Path(run)
    trained = (folder / "config.json").is_file()
    if int8 and not trained:
        refuse_two_meanings(run)
        said: object = quantize_model(find_model(run), model, videos or [], force=force)
    elif int8:
        said = quantize_run(folder, model, load_head=load_head, videos=videos, force=force)
    else:
        said = export_run(folder, model, load_head=load_head, videos=videos, force=force)
    print(f"{said}\n{model} is ready: pointe live 0 --model {as_typed(model)}")


def _need(*modules: str) -> None:
    """Raise UsageError where the [train] extra is not installed."""
    from importlib.util import find_spec

    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise UsageError(
            f"This command needs {' and '.join(missing)}, which the runner does without.\n"
            f"Type: {install_command('train')}"
        )


def _device(name: str) -> "Device":
    from models.runtime import DEVICES

    for device in DEVICES:
        if device == name:
            return device
    raise typer.BadParameter(f"'{name}' is none of {', '.join(DEVICES)}", param_hint="--device")


def main() -> None:
    """Run the command line; a user's mistake becomes one or two lines on stderr and the exit code of its kind."""
    # FFmpeg's and TensorFlow's native lines bury ours, and FFmpeg's may hold an address with its password.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    show_no_secrets()
    try:
        with told():
            app()
    except ImportError as error:
        # cv2 or onnxruntime lacks a library of the system, or a half-installed wheel: the doctor knows what to type.
        if (error.name or "").split(".")[0] not in ("cv2", "onnxruntime"):
            raise
        print(f"pointe: {error.name} does not load: {error}\nType: {sys.argv[0]} doctor", file=sys.stderr)
        _leave(DeviceError.exit_code)
    except SystemExit as leaving:
        _leave(leaving.code)


def _leave(code: str | int | None) -> None:
    """End the process, also where a thread of ours hangs inside a library: then Python's own way out would abort it."""
    if left_running():
        from models.decoding import end_decoders

        end_decoders()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code if isinstance(code, int) else 0)
    sys.exit(code)
