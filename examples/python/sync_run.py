"""Reports a run of a sync script to syncmon, through supabase-py.

    with sync_run(supabase, "sales", "incremental_sync") as run:
        run.records_processed = copy_sales()
        run.last_version = newest_version

The run is recorded as completed, or as failed with the error if the block is left by an exception, by
KeyboardInterrupt or by sys.exit with an error. If reporting fails, that is said on standard error, and the
script goes on: no sync should stop because nobody can be told about it.
"""

import sys
from contextlib import contextmanager
from types import SimpleNamespace
from uuid import uuid4


@contextmanager
def sync_run(supabase, entity_type, action, **metadata):
    run = SimpleNamespace(id=None, records_processed=None, last_version=None, metadata=metadata)

    def report(function, **arguments):
        try:
            return supabase.rpc(function, arguments).execute().data
        except Exception as error:
            print(f"{function} of {entity_type} was not recorded: {error}", file=sys.stderr)

    def finish(status, error=None):
        if run.id is not None:
            report("sync_finish", run_id=run.id, status=status, error_details=error, metadata=run.metadata,
                   records_processed=run.records_processed, last_version=run.last_version)

    run.id = report("sync_start", entity_type=entity_type, action=action, metadata=metadata, run_key=str(uuid4()))
    try:
        yield run
    except BaseException as error:  # KeyboardInterrupt and SystemExit, too
        left_well = isinstance(error, SystemExit) and error.code in (None, 0)
        finish("completed" if left_well else "failed", None if left_well else f"{type(error).__name__}: {error}")
        raise
    finish("completed")
