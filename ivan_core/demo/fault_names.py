"""The faults by name, each with one line on what it does; the table is printed by `--help`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RATE_LIMITED = "rate-limited"
INSUFFICIENT_QUOTA = "insufficient-quota"
SERVER_ERROR = "server-error"
TIMEOUT = "timeout"
RESET = "reset"
COMMIT_THEN_TIMEOUT = "commit-then-timeout"
COMMIT_THEN_RESET = "commit-then-reset"
TRUNCATED_BODY = "truncated-body"

LAGGING_LIST = "lagging-list"
EXPIRED = "expired"
NO_OUTPUT_FILE = "no-output-file"
EMPTY_FILE_IDS = "empty-file-ids"
VALIDATION_FAILURE = "validation-failure"

DROPPED_LINES = "dropped-lines"
DUPLICATED_LINES = "duplicated-lines"
DIFFERING_DUPLICATES = "differing-duplicates"
REORDERED = "reordered"
GARBLED_LINE = "garbled-line"
CUT_LAST_LINE = "cut-last-line"
BOM_AND_CRLF = "bom-and-crlf"
UNKNOWN_ID = "unknown-id"
ERROR_STATUS = "error-status"
ERROR_NULL = "error-null"
ERRORS_IN_OUTPUT = "errors-in-output"

REFUSAL = "refusal"
LENGTH = "length"
CONTENT_FILTER = "content-filter"
CODE_FENCE = "code-fence"
TRAILING_COMMA = "trailing-comma"
BOOLEAN_STRINGS = "boolean-strings"
NEAR_TOPICS = "near-topics"
INVENTED_TOPICS = "invented-topics"
MISSING_KEY = "missing-key"
FORMAT_IGNORED = "format-ignored"
THINKING = "thinking"
CHATTY = "chatty"
SWAPPED_ROLES = "swapped-roles"
DROPPED_ROLES = "dropped-roles"
EMPTY_REPLY = "empty-reply"
IDENTICAL_REPLY = "identical-reply"

BUSY = "busy"
MODEL_MISSING = "model-missing"
PULL_FAILS = "pull-fails"
MIDSTREAM_ERROR = "midstream-error"
DROPPED_CONNECTION = "dropped-connection"
TRUNCATED_PROMPT = "truncated-prompt"

Kind = Literal["answer", "batch", "result", "reply", "ollama"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and what it does. `amount` is the number its description speaks of."""

    name: str
    kind: Kind
    description: str
    amount: float = 1.0


_TABLE = (
    Fault(RATE_LIMITED, "answer", "429 with a Retry-After of AMOUNT seconds (1)"),
    Fault(INSUFFICIENT_QUOTA, "answer", "429 with the code insufficient_quota"),
    Fault(SERVER_ERROR, "answer", "500, and nothing is done"),
    Fault(TIMEOUT, "answer", "no answer comes, and nothing is done"),
    Fault(RESET, "answer", "the connection is reset, and nothing is done"),
    Fault(COMMIT_THEN_TIMEOUT, "answer", "what was asked is done, but no answer comes"),
    Fault(COMMIT_THEN_RESET, "answer", "what was asked is done, then the connection is reset"),
    Fault(TRUNCATED_BODY, "answer", "the answer ends before its announced length"),
    Fault(LAGGING_LIST, "batch", "a new batch is missing from AMOUNT lists (3)", 3),
    Fault(EXPIRED, "batch", "the batch expires with a share of AMOUNT finished (0.5)", 0.5),
    Fault(NO_OUTPUT_FILE, "batch", "completed, but every line is an error: no output file"),
    Fault(EMPTY_FILE_IDS, "batch", "file ids are empty strings where there is no file"),
    Fault(VALIDATION_FAILURE, "batch", "the batch fails with token_limit_exceeded"),
    Fault(DROPPED_LINES, "result", "AMOUNT lines (1) are missing from the results"),
    Fault(DUPLICATED_LINES, "result", "AMOUNT lines (1) come twice, equal"),
    Fault(DIFFERING_DUPLICATES, "result", "AMOUNT lines (1) come twice with other labels"),
    Fault(REORDERED, "result", "the results come in the reverse of the order asked"),
    Fault(GARBLED_LINE, "result", "AMOUNT lines (1) break off in the middle of their JSON"),
    Fault(CUT_LAST_LINE, "result", "the output file ends in the middle of its last line"),
    Fault(BOM_AND_CRLF, "result", "the files start with a byte order mark and have CRLF ends"),
    Fault(UNKNOWN_ID, "result", "AMOUNT lines (1) come with an id that nobody asked for"),
    Fault(ERROR_STATUS, "result", "AMOUNT lines (1) fail with a status code of 400"),
    Fault(ERROR_NULL, "result", "AMOUNT lines (1) fail without a response"),
    Fault(ERRORS_IN_OUTPUT, "result", "errors stand in the output file, as plain strings"),
    Fault(REFUSAL, "reply", "the model refuses"),
    Fault(LENGTH, "reply", "the reply is cut off, finish_reason length"),
    Fault(CONTENT_FILTER, "reply", "the reply is empty, finish_reason content_filter"),
    Fault(CODE_FENCE, "reply", "JSON inside a Markdown code fence"),
    Fault(TRAILING_COMMA, "reply", "JSON with a comma too many"),
    Fault(BOOLEAN_STRINGS, "reply", 'yes/no answers as strings, "True" and "False"'),
    Fault(NEAR_TOPICS, "reply", "words of closed lists in a near spelling"),
    Fault(INVENTED_TOPICS, "reply", "a topic that is in no list"),
    Fault(MISSING_KEY, "reply", "JSON without its last key"),
    Fault(FORMAT_IGNORED, "reply", "prose where JSON was asked for"),
    Fault(THINKING, "reply", "a <think> block before the answer"),
    Fault(CHATTY, "reply", "remarks of the model around the answer"),
    Fault(SWAPPED_ROLES, "reply", "Human and Assistant are swapped"),
    Fault(DROPPED_ROLES, "reply", "the names of the roles are missing"),
    Fault(EMPTY_REPLY, "reply", "a reply without text"),
    Fault(IDENTICAL_REPLY, "reply", "the dialogue comes back as it was"),
    Fault(BUSY, "ollama", "503, too many requests are waiting"),
    Fault(MODEL_MISSING, "ollama", "no model is there until it is pulled"),
    Fault(PULL_FAILS, "ollama", "a pull ends in an error after some progress"),
    Fault(MIDSTREAM_ERROR, "ollama", "a stream breaks off with an error in it"),
    Fault(DROPPED_CONNECTION, "ollama", "the connection is reset in the middle of an answer"),
    Fault(TRUNCATED_PROMPT, "ollama", "only a share of AMOUNT (0.5) of the prompt is read", 0.5),
)
FAULTS = {fault.name: fault for fault in _TABLE}
"""Every fault by name, in the order in which they are listed."""

REPLY_FAULTS = tuple(fault.name for fault in _TABLE if fault.kind == "reply")
"""The faults of single replies: of a chat, and of lines of a batch."""
