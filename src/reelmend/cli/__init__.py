"""The command line: a thin face that parses, calls and shows."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

STOPPED = 130
"""Exit code after Ctrl-C, 128 + SIGINT, as shells have it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code: 0 done, 1 failed while running, 2 the caller's mistake, 130 stopped.

    Whatever goes wrong is one sentence on stderr. `--debug` or REELMEND_DEBUG=1 adds the traceback.
    """
    from reelmend.cli.app import app
    from reelmend.errors import ReelMendError

    args = list(sys.argv[1:] if argv is None else argv)
    if "--debug" in args:
        args.remove("--debug")
        os.environ["REELMEND_DEBUG"] = "1"
    try:
        done = int(app(args=args or ["--help"], prog_name="reelmend", standalone_mode=False) or 0)
        if done == STOPPED:  # Ctrl-C, which the parser takes for itself
            return _fail("stopped", STOPPED)
        return done if args else 2
    except ReelMendError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _fail("stopped", STOPPED)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); a second write while Python shuts down must not fail too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError:
        return _fail("out of memory; free some, or work with fewer --threads.", 1)
    except Exception as error:
        if type(error).__name__ == "Abort":  # the same, from older parsers
            return _fail("stopped", STOPPED)
        if hasattr(error, "format_message"):  # a usage error of the parser, whichever library it comes from
            said = error.format_message().rstrip(".")
            return _fail(f"{said}{'' if said.endswith('?') else ';'} {_help(error)} shows what is possible.", 2)
        said = " ".join(str(error).split())
        return _fail(f"unexpected {type(error).__name__}{': ' + said if said else ''}; --debug shows where.", 1)


def _fail(sentence: str, code: int) -> int:
    if os.environ.get("REELMEND_DEBUG", "0") not in ("", "0") and sys.exc_info()[0] is not None:
        import traceback

        traceback.print_exc()
    print(f"reelmend: {' '.join(sentence.split()).rstrip('.')}.", file=sys.stderr)
    return code


def _help(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'reelmend'} --help"
