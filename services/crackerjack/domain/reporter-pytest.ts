/**
 * Our plugin for pytest, as the text of a module. With pytest-xdist only the process that others report to writes.
 *
 * @module
 */
import { EVENTS_VARIABLE, MAX_TEXT } from "./reporter-append.ts";

/** Name of the module, for `-p`. */
export const PYTEST_MODULE = "mcp_realtime_live";

export const PYTEST_PLUGIN = `"""Tells each result of pytest as it comes, one JSON object a line."""
import json
import os

import pytest

_path = os.environ.get("${EVENTS_VARIABLE}")
_state = {"worker": False, "root": "", "folder": "", "total": None}


def _append(event):
    if not _path or _state["worker"]:
        return
    try:
        with open(_path, "a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\\n")
    except OSError:
        pass


def _total(count):
    if count != _state["total"]:
        _state["total"] = count
        _append({"t": "total", "n": count})


def _failure(report):
    text = report.longreprtext or ""
    crash = getattr(getattr(report, "longrepr", None), "reprcrash", None)
    lines = text.strip().splitlines()
    message = crash.message if crash is not None else lines[-1] if lines else ""
    return {"n": _cut(report.nodeid), "f": _file(report), "e": _cut(message), "b": _cut(text)}


def _file(report):
    # Names of pytest are relative to its root, which may lie above the folder that it was started in.
    file = report.nodeid.split("::")[0]
    try:
        return os.path.relpath(os.path.join(_state["root"], file), _state["folder"])
    except ValueError:
        return file


def _cut(text):
    return str(text)[:${MAX_TEXT}]


def pytest_configure(config):
    _state["worker"] = hasattr(config, "workerinput")
    _state["root"] = str(config.rootpath)
    _state["folder"] = str(config.invocation_params.dir)


def pytest_collection_finish(session):
    # With workers of pytest-xdist this process collects nothing itself.
    if session.items or getattr(session.config.option, "dist", "no") == "no":
        _total(len(session.items))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node, ids):
    _total(len(ids))


def pytest_collectreport(report):
    if report.failed:
        _append({"t": "fault", **_failure(report)})


def pytest_runtest_logreport(report):
    if report.when == "call" or (report.when == "setup" and report.outcome != "passed"):
        if report.outcome == "failed":
            state = "failed" if report.when == "call" else "error"
            _append({"t": "test", "s": state, **_failure(report)})
        elif report.outcome in ("passed", "skipped"):
            _append({"t": "test", "s": report.outcome})
    elif report.when == "teardown" and report.failed:
        _append({"t": "fault", **_failure(report)})


def pytest_sessionfinish(session, exitstatus):
    if not hasattr(session.config, "workerinput"):
        _append({"t": "end"})
`;
